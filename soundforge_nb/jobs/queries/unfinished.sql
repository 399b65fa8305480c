-- How many of these jobs have something to do yet.
SELECT count(*) FROM jobs
WHERE job_id IN (SELECT unnest($job_ids::UUID[])) AND state IN (SELECT unnest($states::VARCHAR[]))
