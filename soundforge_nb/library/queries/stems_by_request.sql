-- Stems that are what these requests ask for, whichever request made them.
SELECT r.request_key, stem_id::VARCHAR AS stem_id, stem, path, format, size_bytes, sha256, duration_seconds, model, model_sha256,
    null_residual_db, s.job_id::VARCHAR AS job_id
FROM stem_requests AS r JOIN stems AS s ON s.content_key = r.content_key AND s.track_id = r.track_id
WHERE r.request_key IN (SELECT unnest($request_keys::VARCHAR[]))
ORDER BY r.request_key, stem
