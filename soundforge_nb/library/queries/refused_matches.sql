-- Which files a person said are not these tracks of Spotify's.
SELECT spotify_id, track_id::VARCHAR FROM spotify_refusals
WHERE spotify_id IN (SELECT unnest($spotify_ids::VARCHAR[]))
