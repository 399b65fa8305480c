-- The keys of downloads and readings that have not ended: what came of them is gone on with.
SELECT unique_key FROM jobs
WHERE kind IN ('download_track', 'read_spotify') AND unique_key IS NOT NULL
    AND state NOT IN ('completed', 'discarded', 'cancelled')
