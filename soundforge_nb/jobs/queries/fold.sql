-- What became of leases since the table was told last: claimed, started, ended, or several of it.
UPDATE jobs SET
    state = coalesce(told.state, 'executing'),
    lease_id = CASE WHEN told.state IS NULL THEN told.lease_id END,
    dask_worker = coalesce(told.node, jobs.dask_worker),
    attempt = coalesce(told.attempt, jobs.attempt),
    attempted_at = coalesce(told.started_at, jobs.attempted_at),
    result = coalesce(told.result, jobs.result),
    error = CASE WHEN told.state IS NULL THEN jobs.error ELSE told.error END,
    progress = coalesce(told.progress, CASE WHEN told.claims THEN 0 ELSE jobs.progress END),
    message = coalesce(told.message, CASE WHEN told.claims THEN '' ELSE jobs.message END),
    max_attempts = jobs.max_attempts + coalesce(told.extra_attempts, 0),
    rescues = jobs.rescues + coalesce(told.rescues, 0),
    scheduled_at = coalesce(told.scheduled_at, jobs.scheduled_at),
    completed_at = CASE WHEN told.state = 'completed' THEN told.ended_at END,
    cancelled_at = CASE WHEN told.state = 'cancelled' THEN told.ended_at END,
    discarded_at = CASE WHEN told.state = 'discarded' THEN told.ended_at END
FROM given_leases AS told
WHERE jobs.job_id = told.job_id
    AND (told.claims AND jobs.state = 'available' OR jobs.state = 'executing' AND jobs.lease_id = told.lease_id)
