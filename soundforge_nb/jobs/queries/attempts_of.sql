-- The attempts of a job, the first one first.
SELECT attempt, dask_worker, host, started_at, ended_at, outcome, error
FROM attempts WHERE job_id = $job_id::UUID ORDER BY started_at, attempt
