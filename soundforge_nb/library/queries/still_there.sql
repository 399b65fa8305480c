-- Of these tracks those that there are.
SELECT track_id::VARCHAR FROM tracks WHERE track_id IN (SELECT unnest($track_ids::UUID[]))
