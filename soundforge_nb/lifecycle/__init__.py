"""Lifecycle: supervisor, telemetry, pubsub, clock. Knows nothing of audio, Dask or DuckDB."""
