-- One job with all that is kept of it.
SELECT job_id::VARCHAR AS job_id, kind, queue, args, meta, tags, priority, state, attempt, max_attempts, rescues,
    progress, message, result, error, batch_id::VARCHAR AS batch_id, track_id::VARCHAR AS track_id, waits_for,
    dask_worker, inserted_at, scheduled_at, attempted_at, completed_at, cancelled_at, discarded_at,
    (SELECT title FROM tracks AS t WHERE t.track_id = jobs.track_id) AS track
FROM jobs WHERE job_id = $job_id::UUID
