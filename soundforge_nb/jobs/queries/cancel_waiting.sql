-- Cancel jobs that do not run yet, and all that would have followed them.
WITH RECURSIVE doomed AS (
    SELECT unnest($job_ids::UUID[]) AS job_id
    UNION
    SELECT p.job_id FROM job_parents AS p JOIN doomed AS d ON p.parent_id = d.job_id
)
UPDATE jobs SET state = 'cancelled', cancelled_at = $now, error = $error::JSON, message = $message
WHERE job_id IN (SELECT job_id FROM doomed) AND state IN ('available', 'scheduled', 'retryable')
RETURNING jobs.job_id::VARCHAR AS job_id, queue, kind, batch_id::VARCHAR AS batch_id
