-- What belonged to a track that became another is that one's.
UPDATE batch_inputs SET track_id = m.track_id FROM merged_tracks AS m
WHERE batch_inputs.track_id = m.merged_id AND m.merged_id = $track_id::UUID
