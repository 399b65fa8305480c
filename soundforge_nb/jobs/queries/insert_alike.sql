-- Many jobs that differ in their arguments alone, given as one array; one that is there already stays as it is.
INSERT OR IGNORE INTO jobs BY NAME
SELECT unnest($job_ids::UUID[]) AS job_id, unnest(json_extract($args::JSON, '$[*]')) AS args, $kind AS kind, $queue AS queue,
    $meta::JSON AS meta, $tags::JSON AS tags, $priority AS priority, $state AS state, 0 AS attempt,
    $max_attempts AS max_attempts, 0 AS rescues, 0 AS progress, '' AS message, $unique_key AS unique_key,
    $batch_id::UUID AS batch_id, $track_id::UUID AS track_id, 0 AS waits_for,
    $now AS inserted_at, $scheduled_at AS scheduled_at
