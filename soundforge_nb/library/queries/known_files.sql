-- What was seen of these paths before.
SELECT path, size_bytes, mtime_ns, track_id::VARCHAR FROM files
WHERE path IN (SELECT unnest($paths::VARCHAR[]))
