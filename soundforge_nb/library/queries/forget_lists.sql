-- Lists that were read too long ago.
DELETE FROM spotify_lists WHERE fetched_at < $before
