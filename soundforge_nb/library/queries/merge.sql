-- Where another track holds these bytes already, the id of the one that had none yet is to lead there.
INSERT OR REPLACE INTO merged_tracks
SELECT $track_id::UUID, track_id FROM tracks
WHERE byte_hash = $byte_hash AND track_id <> $track_id::UUID
    AND EXISTS (SELECT 1 FROM tracks WHERE track_id = $track_id::UUID AND byte_hash LIKE 'link:%')
ORDER BY track_id LIMIT 1
