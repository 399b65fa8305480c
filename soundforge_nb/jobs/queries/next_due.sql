-- When the next job of a queue that waits for nothing but its time is due.
SELECT min(scheduled_at) FROM jobs
WHERE queue = $queue AND state IN ('scheduled', 'retryable') AND waits_for = 0
