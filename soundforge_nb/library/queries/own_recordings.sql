-- Tracks with their files: what is here.
SELECT t.track_id::VARCHAR AS name, t.title, t.artist, t.isrc, t.duration_seconds, f.path
FROM tracks AS t JOIN files AS f USING (track_id)
ORDER BY t.track_id
