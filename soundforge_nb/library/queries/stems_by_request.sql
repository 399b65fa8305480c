-- Stems that these requests made.
SELECT request_key, stem_id::VARCHAR AS stem_id, stem, path, format, size_bytes, sha256, duration_seconds, model,
    null_residual_db, job_id::VARCHAR AS job_id
FROM stems WHERE request_key IN (SELECT unnest($request_keys::VARCHAR[]))
ORDER BY request_key, stem
