-- Times are UTC. Identifiers are UUIDv7. JSON is kept as text of type JSON.
-- No secondary indexes and no LIST columns: they are where DuckDB's index trouble after a kill was seen.

CREATE TABLE schema_migrations (
    number INTEGER NOT NULL,
    name VARCHAR NOT NULL,
    applied_at TIMESTAMP NOT NULL
);

CREATE TABLE tracks (
    track_id UUID PRIMARY KEY,
    byte_hash VARCHAR NOT NULL,
    title VARCHAR NOT NULL,
    artist VARCHAR,
    album VARCHAR,
    genre VARCHAR,
    year INTEGER,
    isrc VARCHAR,
    duration_seconds DOUBLE,
    sample_rate_hz INTEGER,
    channels INTEGER,
    format VARCHAR,
    audio_hash VARCHAR,
    added_at TIMESTAMP NOT NULL
);

CREATE TABLE files (
    path VARCHAR PRIMARY KEY,
    track_id UUID NOT NULL,
    byte_hash VARCHAR NOT NULL,
    size_bytes BIGINT NOT NULL,
    mtime_ns BIGINT NOT NULL,
    added_at TIMESTAMP NOT NULL
);

CREATE TABLE batches (
    batch_id UUID PRIMARY KEY,
    options JSON NOT NULL,
    output_folder VARCHAR,
    state VARCHAR NOT NULL,
    inserted_at TIMESTAMP NOT NULL,
    finished_at TIMESTAMP
);

-- One row for every input a person gave, also for those that were refused: an account of all of them.
CREATE TABLE batch_inputs (
    batch_id UUID NOT NULL,
    position INTEGER NOT NULL,
    name VARCHAR NOT NULL,
    track_id UUID,
    step VARCHAR,
    job_id UUID,
    reused BOOLEAN NOT NULL,
    error JSON
);

CREATE TABLE jobs (
    job_id UUID PRIMARY KEY,
    kind VARCHAR NOT NULL,
    queue VARCHAR NOT NULL,
    args JSON NOT NULL,
    meta JSON NOT NULL,
    tags JSON NOT NULL,
    priority INTEGER NOT NULL,
    state VARCHAR NOT NULL,
    attempt INTEGER NOT NULL,
    max_attempts INTEGER NOT NULL,
    rescues INTEGER NOT NULL,
    progress INTEGER NOT NULL,
    message VARCHAR NOT NULL,
    result JSON,
    error JSON,
    unique_key VARCHAR,
    batch_id UUID,
    track_id UUID,
    waits_for INTEGER NOT NULL,
    lease_id UUID,
    dask_worker VARCHAR,
    inserted_at TIMESTAMP NOT NULL,
    scheduled_at TIMESTAMP NOT NULL,
    attempted_at TIMESTAMP,
    completed_at TIMESTAMP,
    cancelled_at TIMESTAMP,
    discarded_at TIMESTAMP
);

CREATE TABLE job_parents (
    job_id UUID NOT NULL,
    parent_id UUID NOT NULL
);

CREATE TABLE attempts (
    job_id UUID NOT NULL,
    attempt INTEGER NOT NULL,
    lease_id UUID NOT NULL,
    dask_worker VARCHAR,
    host VARCHAR,
    started_at TIMESTAMP NOT NULL,
    ended_at TIMESTAMP,
    outcome VARCHAR,
    error JSON
);

CREATE TABLE stems (
    stem_id UUID PRIMARY KEY,
    track_id UUID NOT NULL,
    job_id UUID NOT NULL,
    request_key VARCHAR NOT NULL,
    content_key VARCHAR NOT NULL,
    byte_hash VARCHAR NOT NULL,
    stem VARCHAR NOT NULL,
    path VARCHAR NOT NULL,
    format VARCHAR NOT NULL,
    size_bytes BIGINT NOT NULL,
    sha256 VARCHAR NOT NULL,
    duration_seconds DOUBLE NOT NULL,
    sample_rate_hz INTEGER NOT NULL,
    channels INTEGER NOT NULL,
    peak DOUBLE,
    rms DOUBLE,
    envelope JSON NOT NULL,
    model VARCHAR NOT NULL,
    model_sha256 VARCHAR NOT NULL,
    parameters JSON NOT NULL,
    null_residual_db DOUBLE,
    code_version INTEGER NOT NULL,
    inserted_at TIMESTAMP NOT NULL
);

CREATE TABLE analyses (
    analysis_id UUID PRIMARY KEY,
    track_id UUID NOT NULL,
    job_id UUID NOT NULL,
    source VARCHAR NOT NULL,
    stem_id UUID,
    request_key VARCHAR NOT NULL,
    byte_hash VARCHAR NOT NULL,
    features VARCHAR NOT NULL,
    tempo DOUBLE,
    key VARCHAR,
    energy DOUBLE,
    spectral_centroid DOUBLE,
    spectral_rolloff DOUBLE,
    zero_crossing_rate DOUBLE,
    analysis JSON NOT NULL,
    curves JSON NOT NULL,
    code_version INTEGER NOT NULL,
    inserted_at TIMESTAMP NOT NULL
);

-- Small lasting settings of the queues and of the application.
CREATE TABLE settings (
    name VARCHAR PRIMARY KEY,
    value JSON NOT NULL
);
