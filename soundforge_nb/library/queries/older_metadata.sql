-- Whether Spotify said anything so long ago.
SELECT 1 FROM spotify_tracks WHERE fetched_at < $before
UNION ALL
SELECT 1 FROM spotify_lists WHERE fetched_at < $before
LIMIT 1
