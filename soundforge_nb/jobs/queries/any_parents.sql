-- Whether any job waits or waited for another: where none does, there is nothing to look for.
SELECT 1 FROM job_parents LIMIT 1
