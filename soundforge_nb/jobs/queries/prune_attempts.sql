-- The attempts of jobs that are forgotten.
DELETE FROM attempts WHERE job_id IN (SELECT unnest($job_ids::UUID[]))
