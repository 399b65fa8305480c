-- Of these tracks those that are known from Spotify alone.
SELECT t.track_id::VARCHAR AS name, s.spotify_id, s.title, s.artist, s.isrc, s.duration_seconds
FROM tracks AS t JOIN links AS l USING (track_id) JOIN spotify_tracks AS s ON l.mark = 'spotify:track:' || s.spotify_id
WHERE t.track_id IN (SELECT unnest($track_ids::UUID[])) AND t.byte_hash LIKE 'link:%'
    AND NOT EXISTS (SELECT 1 FROM files AS f WHERE f.track_id = t.track_id)
ORDER BY t.track_id
