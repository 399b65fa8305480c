-- Count the start of leased jobs; a lease starts once, whatever Dask does with its task.
UPDATE jobs SET attempt = attempt + 1, attempted_at = $now
FROM (SELECT unnest($job_ids::UUID[]) AS job_id, unnest($lease_ids::UUID[]) AS lease_id) AS s
WHERE jobs.job_id = s.job_id AND jobs.lease_id = s.lease_id AND jobs.state = 'executing'
    AND NOT EXISTS (SELECT 1 FROM attempts AS a WHERE a.job_id = s.job_id AND a.lease_id = s.lease_id)
RETURNING jobs.job_id::VARCHAR AS job_id, jobs.lease_id::VARCHAR AS lease_id, attempt
