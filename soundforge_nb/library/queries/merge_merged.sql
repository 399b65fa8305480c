-- Ids that led to tracks that became others lead on to those.
UPDATE merged_tracks SET track_id = m.track_id FROM merged_tracks AS m
WHERE merged_tracks.track_id = m.merged_id AND m.merged_id IN (SELECT unnest($track_ids::UUID[]))
