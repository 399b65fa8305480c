-- What these tracks are called now: by their file, else by what Spotify says of them as long as that is kept.
SELECT t.track_id::VARCHAR, CASE WHEN starts_with(t.title, 'spotify:') THEN s.title ELSE t.title END
FROM tracks AS t LEFT JOIN spotify_tracks AS s ON t.title = 'spotify:track:' || s.spotify_id
WHERE t.track_id IN (SELECT unnest($track_ids::UUID[]))
