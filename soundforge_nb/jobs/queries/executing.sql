-- What an application that ended left executing.
WITH held AS (SELECT job_id, lease_id, kind FROM jobs WHERE state = 'executing')
SELECT job_id::VARCHAR AS job_id, lease_id::VARCHAR AS lease_id, kind,
    lease_id IN (
        SELECT a.lease_id FROM attempts AS a WHERE a.lease_id IN (SELECT h.lease_id FROM held AS h)
    ) AS started
FROM held
