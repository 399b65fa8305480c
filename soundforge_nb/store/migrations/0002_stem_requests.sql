-- What a separation was asked for by, and what it came to: two requests may come to the same stems,
-- which a program finds out only when it has loaded its weights.
CREATE TABLE stem_requests (
    request_key VARCHAR PRIMARY KEY,
    track_id UUID NOT NULL,
    content_key VARCHAR NOT NULL
);

INSERT OR REPLACE INTO stem_requests
SELECT request_key, any_value(track_id), any_value(content_key) FROM stems GROUP BY request_key;
