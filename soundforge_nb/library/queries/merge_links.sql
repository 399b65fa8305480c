-- What belonged to tracks that became others is those others'.
UPDATE links SET track_id = m.track_id FROM merged_tracks AS m
WHERE links.track_id = m.merged_id AND m.merged_id IN (SELECT unnest($track_ids::UUID[]))
