-- The accounts of batches that were finished long ago.
DELETE FROM batch_inputs
WHERE batch_id IN (SELECT batch_id FROM batches WHERE state = 'finished' AND finished_at < $before)
