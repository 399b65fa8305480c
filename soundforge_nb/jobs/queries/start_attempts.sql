-- Count the start of leased jobs. The application's ledger sees to it that a lease starts once.
UPDATE jobs SET attempt = attempt + 1, attempted_at = $now
WHERE state = 'executing' AND lease_id IN (SELECT unnest($lease_ids::UUID[]))
