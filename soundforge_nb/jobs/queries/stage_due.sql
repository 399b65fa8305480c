-- Jobs of a queue whose time has come and whose parents are done become available.
UPDATE jobs SET state = 'available'
WHERE queue = $queue AND state IN ('scheduled', 'retryable') AND scheduled_at <= $now AND waits_for = 0
RETURNING job_id
