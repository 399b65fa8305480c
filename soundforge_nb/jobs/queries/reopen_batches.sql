-- Batches whose jobs are tried again run again.
UPDATE batches SET state = 'running', finished_at = NULL
WHERE batch_id IN (SELECT batch_id FROM batch_inputs WHERE job_id IN (SELECT unnest($job_ids::UUID[])))
    AND state = 'finished'
RETURNING batch_id::VARCHAR AS batch_id
