-- Of these tracks of Spotify's those that it still says something of.
SELECT spotify_id FROM spotify_tracks WHERE spotify_id IN (SELECT unnest($spotify_ids::VARCHAR[]))
