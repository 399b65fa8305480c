DELETE FROM batches WHERE state = 'finished' AND finished_at < $before
