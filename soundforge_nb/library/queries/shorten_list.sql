-- A list that has become shorter loses the end of what it was.
DELETE FROM spotify_entries WHERE link = $link AND position >= $length
