-- A link gets a track of its own again.
UPDATE links SET track_id = $track_id::UUID WHERE mark = $mark
