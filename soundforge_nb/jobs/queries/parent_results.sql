-- What the parents of these jobs made.
SELECT p.job_id::VARCHAR AS job_id, p.parent_id::VARCHAR AS parent_id, j.result
FROM job_parents AS p JOIN jobs AS j ON j.job_id = p.parent_id
WHERE p.job_id IN (SELECT unnest($job_ids::UUID[]))
