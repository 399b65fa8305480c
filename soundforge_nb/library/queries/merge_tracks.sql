-- Tracks that became others are no tracks of their own.
DELETE FROM tracks
WHERE track_id IN (SELECT unnest($track_ids::UUID[])) AND track_id IN (SELECT merged_id FROM merged_tracks)
