-- Close the attempts of acknowledged leases.
UPDATE attempts SET ended_at = $now, outcome = a.outcome, error = a.error
FROM (
    SELECT
        unnest($lease_ids::UUID[]) AS lease_id,
        unnest($outcomes::VARCHAR[]) AS outcome,
        unnest($errors::JSON[]) AS error
) AS a
WHERE attempts.lease_id = a.lease_id AND attempts.ended_at IS NULL
