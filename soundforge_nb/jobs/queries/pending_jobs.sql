-- Unfinished jobs by what they do.
SELECT unique_key, min(job_id)::VARCHAR FROM jobs
WHERE unique_key IN (SELECT unnest($unique_keys::VARCHAR[]))
    AND state IN ('available', 'scheduled', 'executing', 'retryable')
GROUP BY unique_key
