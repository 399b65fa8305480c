-- What belonged to tracks that became others is those others'.
UPDATE batch_inputs SET track_id = m.track_id FROM merged_tracks AS m
WHERE batch_inputs.track_id = m.merged_id AND m.merged_id IN (SELECT unnest($track_ids::UUID[]))
