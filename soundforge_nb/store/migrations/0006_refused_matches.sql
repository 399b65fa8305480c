-- Which files of one's own a person said are not a track of Spotify's: they are never taken for it again.
CREATE TABLE spotify_refusals (
    spotify_id VARCHAR NOT NULL,
    track_id UUID NOT NULL,
    refused_at TIMESTAMP NOT NULL,
    PRIMARY KEY (spotify_id, track_id)
);
