-- What Spotify says of tracks: the little that tells recordings apart, for a time. It goes into no export.
CREATE TABLE spotify_tracks (
    spotify_id VARCHAR PRIMARY KEY,
    title VARCHAR NOT NULL,
    artist VARCHAR,
    album VARCHAR,
    isrc VARCHAR,
    duration_seconds DOUBLE,
    fetched_at TIMESTAMP NOT NULL
);

-- Albums and playlists, and single tracks as lists of one, as they were read last.
CREATE TABLE spotify_lists (
    link VARCHAR PRIMARY KEY,
    title VARCHAR,
    fetched_at TIMESTAMP NOT NULL
);

-- Their entries in order; one that is no track has a reason instead.
CREATE TABLE spotify_entries (
    link VARCHAR NOT NULL,
    position INTEGER NOT NULL,
    spotify_id VARCHAR,
    refusal VARCHAR,
    PRIMARY KEY (link, position)
);
