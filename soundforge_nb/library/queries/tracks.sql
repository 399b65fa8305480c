-- Tracks, each with the file that was added last and the link that its audio can be had from; where ids are
-- asked for, each of them with the track that it leads to. A track without bytes is what Spotify says of it.
WITH asked AS (
    SELECT a.id AS asked_id, coalesce(m.track_id, a.id) AS track_id
    FROM (
        SELECT track_id AS id FROM tracks WHERE $track_ids::UUID[] IS NULL
        UNION SELECT unnest($track_ids::UUID[])
    ) AS a LEFT JOIN merged_tracks AS m ON m.merged_id = a.id
)
SELECT a.asked_id::VARCHAR AS asked_id, t.track_id::VARCHAR AS track_id,
    CASE WHEN t.title LIKE 'spotify:%' THEN coalesce(s.title, t.title) ELSE t.title END AS title,
    coalesce(t.artist, s.artist) AS artist, coalesce(t.album, s.album) AS album, genre, year,
    coalesce(t.isrc, s.isrc) AS isrc, coalesce(t.duration_seconds, s.duration_seconds) AS duration_seconds,
    sample_rate_hz, channels, format, t.byte_hash, audio_hash, t.added_at, f.path, f.size_bytes, f.mtime_ns,
    l.shown AS link, l.mark AS link_mark, w.score AS match_score, w.reason AS match_reason
FROM asked AS a JOIN tracks AS t USING (track_id)
LEFT JOIN (
    SELECT track_id, path, size_bytes, mtime_ns FROM files
    QUALIFY row_number() OVER (PARTITION BY track_id ORDER BY added_at DESC, path) = 1
) AS f ON f.track_id = t.track_id
LEFT JOIN (
    SELECT track_id, shown, mark FROM links
    QUALIFY row_number() OVER (PARTITION BY track_id ORDER BY added_at DESC, mark) = 1
) AS l ON l.track_id = t.track_id
LEFT JOIN spotify_tracks AS s ON t.byte_hash LIKE 'link:spotify:%' AND l.mark = 'spotify:track:' || s.spotify_id
LEFT JOIN (
    -- Of several songs of Spotify's that one file was taken for, the one that is least sure.
    SELECT track_id, min(score) AS score, arg_min(reason, score) AS reason FROM spotify_matches GROUP BY track_id
) AS w ON w.track_id = t.track_id
ORDER BY t.track_id
