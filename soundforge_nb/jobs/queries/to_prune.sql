-- Jobs of long ago that no batch accounts for and nothing had waited for.
SELECT job_id::VARCHAR FROM jobs
WHERE state = $state AND coalesce(completed_at, cancelled_at, discarded_at) < $before
    AND NOT EXISTS (SELECT 1 FROM batch_inputs AS i WHERE i.job_id = jobs.job_id)
    AND NOT EXISTS (SELECT 1 FROM job_parents AS p WHERE p.parent_id = jobs.job_id)
ORDER BY job_id LIMIT $most
