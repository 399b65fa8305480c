-- A track whose audio has come: its bytes are known, and what the file says of itself counts.
UPDATE tracks SET
    byte_hash = $byte_hash,
    format = $format,
    title = coalesce($title::VARCHAR, title),
    artist = coalesce($artist::VARCHAR, artist),
    album = coalesce($album::VARCHAR, album),
    genre = coalesce($genre::VARCHAR, genre),
    year = coalesce($year::INTEGER, year),
    isrc = coalesce($isrc::VARCHAR, isrc)
WHERE track_id = $track_id::UUID
