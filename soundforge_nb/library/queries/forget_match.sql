-- A file stands for a track of Spotify's no more.
DELETE FROM spotify_matches WHERE spotify_id = $spotify_id
