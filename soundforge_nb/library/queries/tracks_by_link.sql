-- Tracks that these links stand for.
SELECT link, track_id::VARCHAR FROM links WHERE link IN (SELECT unnest($links::VARCHAR[]))
