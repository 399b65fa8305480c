-- Which of these leases have started an attempt.
SELECT lease_id::VARCHAR FROM attempts WHERE lease_id IN (SELECT unnest($lease_ids::UUID[]))
