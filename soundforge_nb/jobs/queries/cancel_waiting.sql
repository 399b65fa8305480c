-- Cancel jobs that do not run yet, and all that would have followed them; what followed is told so.
WITH RECURSIVE doomed AS (
    SELECT job_id FROM jobs
    WHERE job_id IN (SELECT unnest($job_ids::UUID[])) AND state NOT IN ('completed', 'executing')
    UNION
    SELECT p.job_id FROM job_parents AS p JOIN doomed AS d ON p.parent_id = d.job_id
)
UPDATE jobs SET state = 'cancelled', cancelled_at = $now,
    error = CASE WHEN job_id IN (SELECT unnest($job_ids::UUID[])) THEN $error ELSE $follower_error END::JSON,
    message = CASE WHEN job_id IN (SELECT unnest($job_ids::UUID[])) THEN $message ELSE $follower_message END
WHERE job_id IN (SELECT job_id FROM doomed) AND state IN ('available', 'scheduled', 'retryable')
RETURNING jobs.job_id::VARCHAR AS job_id, queue, kind, batch_id::VARCHAR AS batch_id, message
