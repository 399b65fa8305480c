-- Jobs that waited for these parents wait for fewer; those that wait for nothing and are due become available.
UPDATE jobs SET
    waits_for = waits_for - done.parents,
    state = CASE WHEN waits_for = done.parents AND scheduled_at <= $now THEN 'available' ELSE state END
FROM (
    SELECT job_id, count(*)::INTEGER AS parents
    FROM job_parents WHERE parent_id IN (SELECT unnest($job_ids::UUID[]))
    GROUP BY job_id
) AS done
WHERE jobs.job_id = done.job_id AND jobs.state = 'scheduled'
RETURNING jobs.job_id::VARCHAR AS job_id, queue, kind, batch_id::VARCHAR AS batch_id, state, message,
    waits_for, scheduled_at
