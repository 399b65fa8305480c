-- Tracks, each with the file that was added last and the link that its audio can be had from.
SELECT t.track_id::VARCHAR AS track_id, title, artist, album, genre, year, isrc, duration_seconds,
    sample_rate_hz, channels, format, t.byte_hash, audio_hash, t.added_at, f.path, f.size_bytes, f.mtime_ns,
    l.link
FROM tracks AS t
LEFT JOIN (
    SELECT track_id, path, size_bytes, mtime_ns FROM files
    QUALIFY row_number() OVER (PARTITION BY track_id ORDER BY added_at DESC, path) = 1
) AS f ON f.track_id = t.track_id
LEFT JOIN (SELECT track_id, min(link) AS link FROM links GROUP BY track_id) AS l ON l.track_id = t.track_id
WHERE $track_ids::UUID[] IS NULL OR t.track_id IN (SELECT unnest($track_ids::UUID[]))
ORDER BY t.track_id
