-- A path that now holds other bytes is another file.
DELETE FROM files WHERE path IN (SELECT unnest($paths::VARCHAR[]))
