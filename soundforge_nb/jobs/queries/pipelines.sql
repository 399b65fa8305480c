-- Tracks that are worked on: those with a running job first, then by age; each with its jobs, newest batch only.
WITH open AS (
    SELECT track_id, min(job_id) AS since, bool_or(state = 'executing') AS runs FROM jobs
    WHERE state IN ('available', 'scheduled', 'executing', 'retryable') AND track_id IS NOT NULL
    GROUP BY track_id
), chosen AS (
    SELECT track_id, runs, since FROM open ORDER BY runs DESC, since LIMIT $tracks
), steps AS (
    SELECT track_id, kind, job_id, state, progress,
        coalesce(json_extract_string(meta, '$.title'), json_extract_string(meta, '$.name')) AS title
    FROM jobs WHERE track_id IN (SELECT track_id FROM chosen)
    QUALIFY row_number() OVER (PARTITION BY track_id, kind ORDER BY job_id DESC) = 1
)
SELECT s.track_id::VARCHAR AS track_id, s.kind, s.job_id::VARCHAR AS job_id, s.state, s.progress, s.title,
    (SELECT count(*) FROM open)::INTEGER AS tracks
FROM steps AS s JOIN chosen AS c ON c.track_id = s.track_id
ORDER BY c.runs DESC, c.since, s.job_id
