-- Analyses that these requests made.
SELECT request_key, analysis_id::VARCHAR AS analysis_id, source, tempo, key, energy, job_id::VARCHAR AS job_id
FROM analyses WHERE request_key IN (SELECT unnest($request_keys::VARCHAR[]))
