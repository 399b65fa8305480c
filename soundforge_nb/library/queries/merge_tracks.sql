-- A track that became another is no track of its own.
DELETE FROM tracks
WHERE track_id = $track_id::UUID AND track_id IN (SELECT merged_id FROM merged_tracks)
