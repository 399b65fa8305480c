-- What a job waited for, and what waits for it.
SELECT 'parent' AS relation, j.job_id::VARCHAR AS job_id, j.kind, j.state,
    coalesce(json_extract_string(j.meta, '$.title'), json_extract_string(j.meta, '$.name')) AS name
FROM job_parents AS p JOIN jobs AS j ON j.job_id = p.parent_id WHERE p.job_id = $job_id::UUID
UNION ALL
SELECT 'child', j.job_id::VARCHAR, j.kind, j.state,
    coalesce(json_extract_string(j.meta, '$.title'), json_extract_string(j.meta, '$.name'))
FROM job_parents AS p JOIN jobs AS j ON j.job_id = p.job_id WHERE p.parent_id = $job_id::UUID
ORDER BY 1 DESC, 2
