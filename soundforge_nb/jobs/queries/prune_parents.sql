DELETE FROM job_parents WHERE job_id IN (SELECT unnest($job_ids::UUID[]))
