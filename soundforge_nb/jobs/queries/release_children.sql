-- Jobs that waited for these parents wait for fewer.
UPDATE jobs SET waits_for = waits_for - done.parents
FROM (
    SELECT job_id, count(*)::INTEGER AS parents
    FROM job_parents WHERE parent_id IN (SELECT unnest($job_ids::UUID[]))
    GROUP BY job_id
) AS done
WHERE jobs.job_id = done.job_id AND jobs.state = 'scheduled'
RETURNING jobs.job_id::VARCHAR AS job_id
