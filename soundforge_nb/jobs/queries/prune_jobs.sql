-- Jobs that are forgotten.
DELETE FROM jobs WHERE job_id IN (SELECT unnest($job_ids::UUID[]))
