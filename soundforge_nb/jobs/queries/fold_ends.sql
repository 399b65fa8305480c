-- Attempts that had begun before and ended now.
UPDATE attempts SET ended_at = told.ended_at, outcome = told.outcome, error = told.error
FROM given_leases AS told
WHERE attempts.lease_id = told.lease_id AND attempts.ended_at IS NULL
