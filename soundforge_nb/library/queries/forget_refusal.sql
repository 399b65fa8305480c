-- A person changed their mind: the file may be the track.
DELETE FROM spotify_refusals WHERE spotify_id = $spotify_id AND track_id = $track_id::UUID
