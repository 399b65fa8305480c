-- Unfinished jobs of a batch that no other running batch waits for.
SELECT DISTINCT i.job_id::VARCHAR
FROM batch_inputs AS i JOIN jobs AS j ON j.job_id = i.job_id
WHERE i.batch_id = $batch_id::UUID AND j.state IN ('available', 'scheduled', 'executing', 'retryable')
    AND NOT EXISTS (
        SELECT 1 FROM batch_inputs AS o JOIN batches AS b ON b.batch_id = o.batch_id
        WHERE o.job_id = i.job_id AND o.batch_id <> i.batch_id AND b.state = 'running'
    )
