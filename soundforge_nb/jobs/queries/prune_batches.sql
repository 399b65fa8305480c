-- Batches that were finished long ago; their accounts went first.
DELETE FROM batches WHERE state = 'finished' AND finished_at < $before
