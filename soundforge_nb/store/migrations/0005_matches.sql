-- Which file of one's own was taken for a track of Spotify's, and how sure that was.
CREATE TABLE spotify_matches (
    spotify_id VARCHAR PRIMARY KEY,
    track_id UUID NOT NULL,
    score DOUBLE NOT NULL,
    reason VARCHAR NOT NULL,
    matched_at TIMESTAMP NOT NULL
);
