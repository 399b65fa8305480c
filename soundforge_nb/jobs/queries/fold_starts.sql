-- Attempts that began, some of which have ended too.
INSERT INTO attempts (job_id, attempt, lease_id, dask_worker, host, started_at, ended_at, outcome, error)
SELECT told.job_id, told.attempt, told.lease_id, told.node, told.host, told.started_at, told.ended_at, told.outcome,
    told.error
FROM given_leases AS told JOIN jobs ON jobs.job_id = told.job_id
    AND (told.claims AND jobs.state = 'available' OR jobs.state = 'executing' AND jobs.lease_id = told.lease_id)
