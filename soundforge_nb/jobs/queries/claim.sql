-- Give jobs a lease and a slot of a node. Without RETURNING, which would cost as much again.
UPDATE jobs SET
    state = 'executing', lease_id = claimed.lease_id, dask_worker = claimed.node, progress = 0, message = ''
FROM (
    SELECT
        unnest($job_ids::UUID[]) AS job_id,
        unnest($lease_ids::UUID[]) AS lease_id,
        unnest($nodes::VARCHAR[]) AS node
) AS claimed
WHERE jobs.job_id = claimed.job_id AND jobs.state = 'available'
