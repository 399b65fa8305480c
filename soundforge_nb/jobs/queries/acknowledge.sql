-- Record outcomes, fenced: a lease that is no longer the job's changes nothing.
UPDATE jobs SET
    state = a.state,
    result = coalesce(a.result, jobs.result),
    error = a.error,
    progress = a.progress,
    message = a.message,
    max_attempts = jobs.max_attempts + a.extra_attempts,
    rescues = jobs.rescues + a.rescues,
    scheduled_at = coalesce(a.scheduled_at, jobs.scheduled_at),
    lease_id = NULL,
    completed_at = CASE WHEN a.state = 'completed' THEN $now END,
    cancelled_at = CASE WHEN a.state = 'cancelled' THEN $now END,
    discarded_at = CASE WHEN a.state = 'discarded' THEN $now END
FROM (
    SELECT
        unnest($job_ids::UUID[]) AS job_id,
        unnest($lease_ids::UUID[]) AS lease_id,
        unnest($states::VARCHAR[]) AS state,
        unnest($results::JSON[]) AS result,
        unnest($errors::JSON[]) AS error,
        unnest($progresses::INTEGER[]) AS progress,
        unnest($messages::VARCHAR[]) AS message,
        unnest($extra_attempts::INTEGER[]) AS extra_attempts,
        unnest($rescues::INTEGER[]) AS rescues,
        unnest($scheduled_ats::TIMESTAMP[]) AS scheduled_at
) AS a
WHERE jobs.job_id = a.job_id AND jobs.lease_id = a.lease_id AND jobs.state = 'executing'
