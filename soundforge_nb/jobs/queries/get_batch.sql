-- One batch.
SELECT batch_id::VARCHAR AS batch_id, options, output_folder, state, inserted_at, finished_at
FROM batches WHERE batch_id = $batch_id::UUID
