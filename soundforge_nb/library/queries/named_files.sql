-- Every file that a row names: stems, and the files of tracks.
SELECT path FROM stems UNION ALL SELECT path FROM files
