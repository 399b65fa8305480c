-- The keys of downloads that have not ended: what came of them is gone on with.
SELECT unique_key FROM jobs
WHERE kind = 'download_track' AND unique_key IS NOT NULL
    AND state NOT IN ('completed', 'discarded', 'cancelled')
