-- Which of these leases are still their job's.
SELECT lease_id::VARCHAR FROM jobs
WHERE state = 'executing' AND lease_id IN (SELECT unnest($lease_ids::UUID[]))
