-- What decoding told of a track's audio; a tag's word gives way to it.
UPDATE tracks SET
    duration_seconds = coalesce($duration_seconds::DOUBLE, duration_seconds),
    sample_rate_hz = coalesce($sample_rate_hz::INTEGER, sample_rate_hz),
    channels = coalesce($channels::INTEGER, channels),
    audio_hash = coalesce($audio_hash::VARCHAR, audio_hash)
WHERE track_id = $track_id::UUID
