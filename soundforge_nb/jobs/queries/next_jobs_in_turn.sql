-- The next jobs of a queue, or of a kind in it, by priority; of one priority each batch has its turn, first the one
-- that was served the longest ago.
SELECT job_id::VARCHAR AS job_id, kind, queue, args, attempt, max_attempts, rescues, meta,
    waiting.batch_id::VARCHAR AS batch_id, track_id::VARCHAR AS track_id
FROM (
    SELECT *, row_number() OVER (PARTITION BY priority, batch_id ORDER BY job_id) AS turn
    FROM jobs WHERE queue = $queue AND state = 'available' AND ($kind IS NULL OR kind = $kind)
        AND job_id NOT IN (SELECT unnest($taken::UUID[]))
) AS waiting
LEFT JOIN (
    SELECT unnest($batch_ids::UUID[]) AS batch_id, unnest($served::BIGINT[]) AS served
) AS before ON before.batch_id = waiting.batch_id
ORDER BY priority, turn, coalesce(served, 0), job_id
LIMIT $slots
