-- Tracks, each with the file that was added last.
SELECT t.track_id::VARCHAR AS track_id, title, artist, album, genre, year, isrc, duration_seconds,
    sample_rate_hz, channels, format, t.byte_hash, audio_hash, t.added_at, f.path, f.size_bytes, f.mtime_ns
FROM tracks AS t
LEFT JOIN (
    SELECT track_id, arg_max(path, added_at) AS path, arg_max(size_bytes, added_at) AS size_bytes,
        arg_max(mtime_ns, added_at) AS mtime_ns
    FROM files GROUP BY track_id
) AS f ON f.track_id = t.track_id
WHERE $track_ids::UUID[] IS NULL OR t.track_id IN (SELECT unnest($track_ids::UUID[]))
ORDER BY t.track_id
