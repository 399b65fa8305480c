-- A batch ends once.
UPDATE batches SET state = 'finished', finished_at = $now
WHERE batch_id = $batch_id::UUID AND state = 'running'
RETURNING batch_id
