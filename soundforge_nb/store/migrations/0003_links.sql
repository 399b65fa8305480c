-- Tracks that links stand for, before their audio is here and after.
CREATE TABLE links (
    link VARCHAR PRIMARY KEY,
    track_id UUID NOT NULL,
    added_at TIMESTAMP NOT NULL
);
