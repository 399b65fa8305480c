-- When the oldest of those jobs of a state ended that its history has room for.
SELECT coalesce(completed_at, cancelled_at, discarded_at) AS ended_at FROM jobs
WHERE state = $state ORDER BY ended_at DESC LIMIT 1 OFFSET $keep
