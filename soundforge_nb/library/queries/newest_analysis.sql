-- The newest whole analysis of one source of a track, or the one that a request asked for.
SELECT analysis_id::VARCHAR AS analysis_id, track_id::VARCHAR AS track_id, source, features, tempo, key, energy,
    spectral_centroid, spectral_rolloff, zero_crossing_rate, analysis, curves, inserted_at
FROM analyses
WHERE track_id = coalesce(
    (SELECT m.track_id FROM merged_tracks AS m WHERE m.merged_id = $track_id::UUID), $track_id::UUID
)
    AND source = $source
    AND ($request_key::VARCHAR IS NULL OR request_key = $request_key)
ORDER BY inserted_at DESC, analysis_id DESC LIMIT 1
