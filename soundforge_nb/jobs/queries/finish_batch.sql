-- A batch ends once, and only while nothing of it is left to do: it may have been retried meanwhile.
UPDATE batches SET state = 'finished', finished_at = $now
WHERE batch_id = $batch_id::UUID AND state = 'running'
    AND NOT EXISTS (
        SELECT 1 FROM batch_inputs AS i JOIN jobs AS j ON j.job_id = i.job_id
        WHERE i.batch_id = $batch_id::UUID AND j.state IN ('available', 'scheduled', 'executing', 'retryable')
    )
RETURNING batch_id
