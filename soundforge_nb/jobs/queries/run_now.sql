-- Jobs that wait for their time wait no more; those that wait for parents too, begin with them.
UPDATE jobs SET state = CASE WHEN waits_for = 0 THEN 'available' ELSE state END, scheduled_at = $now
WHERE job_id IN (SELECT unnest($job_ids::UUID[])) AND state IN ('scheduled', 'retryable') AND scheduled_at > $now
RETURNING jobs.job_id::VARCHAR AS job_id, queue, kind, batch_id::VARCHAR AS batch_id, state, message
