-- Running batches without an unfinished job: all, those of these jobs, or the one named.
SELECT batch_id::VARCHAR FROM batches AS b
WHERE state = 'running'
    AND ($batch_id::UUID IS NULL OR batch_id = $batch_id::UUID)
    AND ($job_ids::UUID[] IS NULL OR batch_id IN (
        SELECT batch_id FROM batch_inputs WHERE job_id IN (SELECT unnest($job_ids::UUID[]))
    ))
    AND NOT EXISTS (
        SELECT 1 FROM batch_inputs AS i JOIN jobs AS j ON j.job_id = i.job_id
        WHERE i.batch_id = b.batch_id AND j.state IN ('available', 'scheduled', 'executing', 'retryable')
    )
