-- Another try for jobs that ended badly; what they still wait for was counted before.
UPDATE jobs SET state = CASE WHEN waits_for = 0 THEN 'available' ELSE 'scheduled' END,
    max_attempts = greatest(max_attempts, attempt + $attempts), rescues = 0, progress = 0,
    scheduled_at = $now, error = NULL, cancelled_at = NULL, discarded_at = NULL, message = ''
WHERE job_id IN (SELECT unnest($job_ids::UUID[])) AND state IN ('discarded', 'cancelled')
RETURNING jobs.job_id::VARCHAR AS job_id, queue, kind, batch_id::VARCHAR AS batch_id, state, message
