-- What running jobs last said of themselves.
UPDATE jobs SET progress = p.progress, message = p.message
FROM (
    SELECT unnest($lease_ids::UUID[]) AS lease_id, unnest($progresses::INTEGER[]) AS progress,
        unnest($messages::VARCHAR[]) AS message
) AS p
WHERE jobs.lease_id = p.lease_id AND jobs.state = 'executing'
