-- What jobs that are forgotten had waited for.
DELETE FROM job_parents WHERE job_id IN (SELECT unnest($job_ids::UUID[]))
