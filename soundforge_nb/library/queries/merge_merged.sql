-- Ids that led to a track that became another lead on to that one.
UPDATE merged_tracks SET track_id = m.track_id FROM merged_tracks AS m
WHERE merged_tracks.track_id = m.merged_id AND m.merged_id = $track_id::UUID
