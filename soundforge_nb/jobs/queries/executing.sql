-- What an application that ended left executing.
SELECT job_id::VARCHAR AS job_id, lease_id::VARCHAR AS lease_id,
    EXISTS (SELECT 1 FROM attempts AS a WHERE a.job_id = jobs.job_id AND a.lease_id = jobs.lease_id) AS started
FROM jobs WHERE state = 'executing'
