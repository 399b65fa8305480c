-- Tracks made of these bytes.
SELECT byte_hash, track_id::VARCHAR FROM tracks WHERE byte_hash IN (SELECT unnest($byte_hashes::VARCHAR[]))
