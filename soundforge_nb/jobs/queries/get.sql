-- Jobs by id, as they stand.
SELECT job_id::VARCHAR AS job_id, kind, queue, args, state, attempt, max_attempts, rescues, progress, message,
    result, error, batch_id::VARCHAR AS batch_id, track_id::VARCHAR AS track_id, waits_for, dask_worker,
    inserted_at, scheduled_at, attempted_at, completed_at, cancelled_at, discarded_at
FROM jobs WHERE job_id IN (SELECT unnest($job_ids::UUID[]))
