-- What Spotify said of tracks too long ago.
DELETE FROM spotify_tracks WHERE fetched_at < $before
