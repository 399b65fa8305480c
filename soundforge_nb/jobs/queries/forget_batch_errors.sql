-- What went wrong with a batch as a whole is tried again with it.
DELETE FROM batch_inputs WHERE batch_id IN (SELECT unnest($batch_ids::UUID[])) AND position < 0
