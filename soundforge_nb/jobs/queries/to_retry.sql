-- Which jobs another try takes in: those named, the parents that they would wait for in vain, and those
-- that were cancelled only because what they waited for ended badly.
WITH RECURSIVE ways AS (
    SELECT p.job_id AS origin, p.parent_id AS target
    FROM job_parents AS p JOIN jobs AS j ON j.job_id = p.parent_id
    WHERE j.state IN ('discarded', 'cancelled')
    UNION ALL
    SELECT p.parent_id, p.job_id
    FROM job_parents AS p JOIN jobs AS j ON j.job_id = p.job_id
    WHERE j.state = 'cancelled' AND json_extract_string(j.error, '$.kind') = 'parent_ended'
), chosen AS (
    SELECT job_id FROM jobs
    WHERE job_id IN (SELECT unnest($job_ids::UUID[])) AND state IN ('discarded', 'cancelled')
    UNION
    SELECT w.target FROM ways AS w JOIN chosen AS c ON w.origin = c.job_id
)
SELECT job_id::VARCHAR FROM chosen
