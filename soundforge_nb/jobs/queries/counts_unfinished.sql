-- Unfinished jobs by queue and state. What ended long ago is passed over by the least and greatest state of its rows.
SELECT queue, state, count(*)::INTEGER AS jobs FROM jobs
WHERE state IN ('available', 'scheduled', 'executing', 'retryable')
GROUP BY queue, state
