-- The next jobs of a queue, by priority and then age; each gets a lease and a slot of a node.
UPDATE jobs SET
    state = 'executing',
    lease_id = list_extract($lease_ids::UUID[], chosen.position),
    dask_worker = list_extract($nodes::VARCHAR[], chosen.position),
    progress = 0,
    message = ''
FROM (
    SELECT job_id, row_number() OVER (ORDER BY priority, job_id) AS position
    FROM jobs
    WHERE queue = $queue AND state = 'available'
    ORDER BY priority, job_id
    LIMIT $slots
) AS chosen
WHERE jobs.job_id = chosen.job_id
RETURNING jobs.job_id::VARCHAR AS job_id, kind, queue, args, attempt, max_attempts, rescues,
    lease_id::VARCHAR AS lease_id, dask_worker, meta, batch_id::VARCHAR AS batch_id,
    track_id::VARCHAR AS track_id, priority
