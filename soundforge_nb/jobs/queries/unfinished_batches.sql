-- Which of these batches still have something to do.
SELECT DISTINCT batch_id::VARCHAR AS batch_id FROM jobs
WHERE batch_id IN (SELECT unnest($batch_ids::UUID[]))
    AND state IN ('available', 'scheduled', 'executing', 'retryable')
