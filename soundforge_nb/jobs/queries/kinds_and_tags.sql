-- What jobs can be told apart by: their kinds, and their tags.
SELECT DISTINCT 'kind' AS what, kind AS word FROM jobs
UNION ALL
SELECT * FROM (
    SELECT DISTINCT 'tag', unnest(json_extract_string(tags, '$[*]')) AS word FROM jobs ORDER BY word LIMIT 200
)
ORDER BY what, word
