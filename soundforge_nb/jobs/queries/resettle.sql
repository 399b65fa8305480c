-- Jobs that were given another try wait where their parents are not done.
UPDATE jobs SET state = CASE WHEN waits_for = 0 THEN 'available' ELSE 'scheduled' END
WHERE job_id IN (SELECT unnest($job_ids::UUID[])) AND state IN ('available', 'scheduled')
