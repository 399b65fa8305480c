-- Entries of lists that were read too long ago.
DELETE FROM spotify_entries WHERE link IN (SELECT link FROM spotify_lists WHERE fetched_at < $before)
