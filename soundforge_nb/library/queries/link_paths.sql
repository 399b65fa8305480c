-- The files of the tracks that these links stand for; a link without files has one row without a path.
SELECT l.mark, f.path FROM links AS l LEFT JOIN files AS f USING (track_id)
WHERE l.mark IN (SELECT unnest($marks::VARCHAR[]))
