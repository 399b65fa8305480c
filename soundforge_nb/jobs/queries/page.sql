-- A page of the jobs that fit all filters, the newest first; always a row, so that the total is told.
-- First their identifiers alone: of a million jobs only those on the page are looked at in full.
WITH fitting AS (
    SELECT job_id FROM jobs
    WHERE ($states::VARCHAR[] IS NULL OR state IN (SELECT unnest($states::VARCHAR[])))
        AND ($queue::VARCHAR IS NULL OR queue = $queue)
        AND ($kind::VARCHAR IS NULL OR kind = $kind)
        AND ($tag::VARCHAR IS NULL OR list_contains(json_extract_string(tags, '$[*]'), $tag))
        AND ($words::VARCHAR IS NULL OR contains(lower(concat_ws(' ',
            job_id::VARCHAR, coalesce(
                json_extract_string(meta, '$.title'), json_extract_string(meta, '$.name'),
                json_extract_string(args, '$.title'), json_extract_string(args, '$.path'),
                json_extract_string(args, '$.url')
            ), kind, message, json_extract_string(error, '$.message'),
            batch_id::VARCHAR, args::VARCHAR)), lower($words)))
), chosen AS (
    SELECT job_id FROM fitting ORDER BY job_id DESC LIMIT $size OFFSET $offset
), shown AS (
    SELECT jobs.job_id::VARCHAR AS job_id, kind, queue, state, attempt, max_attempts, progress, message,
        coalesce(
            json_extract_string(meta, '$.title'), json_extract_string(meta, '$.name'),
            json_extract_string(args, '$.title'), json_extract_string(args, '$.path'),
            json_extract_string(args, '$.url')
        ) AS name,
        tags, json_extract_string(error, '$.message') AS error, waits_for,
        inserted_at, scheduled_at, attempted_at, coalesce(completed_at, cancelled_at, discarded_at) AS ended_at
    FROM jobs JOIN chosen ON chosen.job_id = jobs.job_id
)
SELECT total.total::INTEGER AS total, shown.*
FROM (SELECT count(*) AS total FROM fitting) AS total LEFT JOIN shown ON true
ORDER BY shown.job_id DESC
