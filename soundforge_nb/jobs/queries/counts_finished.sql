-- Jobs that ended, by queue and state.
SELECT queue, state, count(*)::INTEGER AS jobs FROM jobs
WHERE state IN ('completed', 'discarded', 'cancelled')
GROUP BY queue, state
