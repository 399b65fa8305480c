-- What was just counted, by lease.
SELECT job_id::VARCHAR AS job_id, lease_id::VARCHAR AS lease_id, attempt FROM jobs
WHERE state = 'executing' AND lease_id IN (SELECT unnest($lease_ids::UUID[]))
