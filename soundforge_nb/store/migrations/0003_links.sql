-- Tracks that links stand for, before their audio is here and after. A link may hold a key in its query:
-- only a mark to know it by and a form without the query are kept here.
CREATE TABLE links (
    mark VARCHAR PRIMARY KEY,
    shown VARCHAR NOT NULL,
    track_id UUID NOT NULL,
    added_at TIMESTAMP NOT NULL
);

-- Tracks whose bytes turned out to be another's: their ids lead to that one.
CREATE TABLE merged_tracks (
    merged_id UUID PRIMARY KEY,
    track_id UUID NOT NULL
);
