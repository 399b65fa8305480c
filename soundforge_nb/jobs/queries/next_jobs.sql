-- The next jobs of a queue, or of a kind in it, by priority and then age.
SELECT job_id::VARCHAR AS job_id, kind, queue, args, attempt, max_attempts, rescues, meta,
    batch_id::VARCHAR AS batch_id, track_id::VARCHAR AS track_id
FROM jobs
WHERE queue = $queue AND state = 'available' AND ($kind IS NULL OR kind = $kind)
    AND jobs.job_id NOT IN (SELECT unnest($taken::UUID[]))
ORDER BY priority, jobs.job_id
LIMIT $slots
