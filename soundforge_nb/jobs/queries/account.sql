-- Every input of a batch, step by step, with its job.
SELECT i.position, i.name, i.track_id::VARCHAR AS track_id, i.step, i.job_id::VARCHAR AS job_id, i.reused, i.error,
    j.state, j.attempt, j.progress, j.message, j.error AS job_error, j.result, j.attempted_at, j.completed_at
FROM batch_inputs AS i LEFT JOIN jobs AS j ON j.job_id = i.job_id
WHERE i.batch_id = $batch_id::UUID
ORDER BY i.position, i.step
