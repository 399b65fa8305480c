-- How many parents these jobs still wait for.
UPDATE jobs SET waits_for = w.parents
FROM (
    SELECT p.job_id, count(*) FILTER (WHERE j.state <> 'completed')::INTEGER AS parents
    FROM job_parents AS p JOIN jobs AS j ON j.job_id = p.parent_id
    WHERE p.job_id IN (SELECT unnest($job_ids::UUID[]))
    GROUP BY p.job_id
) AS w
WHERE jobs.job_id = w.job_id
