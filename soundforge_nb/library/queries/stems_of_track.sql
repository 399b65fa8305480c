-- The stems of a track, those made last first.
SELECT stem_id::VARCHAR AS stem_id, stem, path, format, size_bytes, sha256, duration_seconds, sample_rate_hz,
    channels, peak, rms, envelope, model, model_sha256, parameters, null_residual_db, content_key, inserted_at
FROM stems
WHERE track_id = coalesce(
    (SELECT m.track_id FROM merged_tracks AS m WHERE m.merged_id = $track_id::UUID), $track_id::UUID
)
ORDER BY inserted_at DESC, content_key, stem
