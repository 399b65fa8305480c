-- Jobs by queue and state.
SELECT queue, state, count(*)::INTEGER AS jobs FROM jobs GROUP BY queue, state
