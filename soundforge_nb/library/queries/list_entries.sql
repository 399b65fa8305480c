-- The entries of a list of Spotify's, in order.
SELECT position, spotify_id, refusal FROM spotify_entries WHERE link = $link ORDER BY position
