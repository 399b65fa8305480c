-- Which files stand for which tracks of Spotify's: of a file, of a track, or of both.
SELECT spotify_id, track_id::VARCHAR AS track_id FROM spotify_matches
WHERE spotify_id = coalesce($spotify_id::VARCHAR, spotify_id) AND track_id = coalesce(
    (SELECT m.track_id FROM merged_tracks AS m WHERE m.merged_id = $track_id::UUID), $track_id::UUID, track_id
)
ORDER BY spotify_id
