-- How jobs that others are to wait for stand.
SELECT job_id::VARCHAR, state FROM jobs WHERE job_id IN (SELECT unnest($job_ids::UUID[]))
