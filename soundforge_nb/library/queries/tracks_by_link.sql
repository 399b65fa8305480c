-- Tracks that these links stand for.
SELECT mark, track_id::VARCHAR FROM links WHERE mark IN (SELECT unnest($marks::VARCHAR[]))
