"""Make the small store of the newest schema: `python tests/store/schemas/make.py`.

Once a schema, then it is committed: what a version wrote is a fact, and is never made anew.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from soundforge_nb.store import migrations

HERE = Path(__file__).parent
TRACK, JOB, BATCH, STEM, ANALYSIS = (f"0190a000-0000-7000-8000-00000000000{n}" for n in range(1, 6))
SPOTIFY_ID = "6rqhFgbbKwnb9MLmUQDhG6"
NOW = "TIMESTAMP '2026-11-01 12:00:00'"

ROWS = [
    "INSERT INTO settings VALUES ('paused', 'true')",
    f"""INSERT INTO tracks VALUES ('{TRACK}', 'b3', 'Über “alles”', 'Ada', NULL, NULL, 1999, NULL,
        12.5, 44100, 2, 'WAV', 'a3', {NOW})""",
    f"INSERT INTO files VALUES ('/music/über.wav', '{TRACK}', 'b3', 4410044, 1, {NOW})",
    f"INSERT INTO batches VALUES ('{BATCH}', '{{}}', NULL, 'finished', {NOW}, {NOW})",
    f"""INSERT INTO batch_inputs VALUES ('{BATCH}', 0, 'über.wav', '{TRACK}', 'separate', '{JOB}',
        false, NULL)""",
    f"""INSERT INTO jobs BY NAME SELECT '{JOB}' AS job_id, 'separate_stems' AS kind, 'processing' AS queue,
        '{{}}' AS args, '{{}}' AS meta, '[]' AS tags, 0 AS priority, 'completed' AS state, 1 AS attempt,
        2 AS max_attempts, 0 AS rescues, 100 AS progress, '' AS message, 0 AS waits_for,
        {NOW} AS inserted_at, {NOW} AS scheduled_at, {NOW} AS completed_at""",
    f"""INSERT INTO attempts BY NAME SELECT '{JOB}' AS job_id, 1 AS attempt, uuid() AS lease_id,
        {NOW} AS started_at, {NOW} AS ended_at, 'completed' AS outcome""",
    f"""INSERT INTO stems BY NAME SELECT '{STEM}' AS stem_id, '{TRACK}' AS track_id, '{JOB}' AS job_id,
        'rk' AS request_key, 'ck' AS content_key, 'b3' AS byte_hash, 'vocals' AS stem, 'v.wav' AS path,
        'wav' AS format, 10 AS size_bytes, 'ab' AS sha256, 12.5 AS duration_seconds, 44100 AS sample_rate_hz,
        2 AS channels, '[]' AS envelope, 'demo' AS model, 'cd' AS model_sha256, '{{}}' AS parameters,
        1 AS code_version, {NOW} AS inserted_at""",
    f"""INSERT INTO analyses BY NAME SELECT '{ANALYSIS}' AS analysis_id, '{TRACK}' AS track_id,
        '{JOB}' AS job_id, 'mixture' AS source, 'ak' AS request_key, 'b3' AS byte_hash, 'all' AS features,
        120.0 AS tempo, 'A minor' AS key, '{{}}' AS analysis, '{{}}' AS curves, 1 AS code_version,
        {NOW} AS inserted_at""",
]

#: Rows of tables that came with a later schema, by its number.
LATER_ROWS = {
    2: [f"INSERT INTO stem_requests VALUES ('rk', '{TRACK}', 'ck')"],
    3: [
        f"INSERT INTO links VALUES ('ab', 'https://host/a.wav?…', '{TRACK}', {NOW})",
        f"INSERT INTO merged_tracks VALUES ('{BATCH}', '{TRACK}')",
    ],
    4: [
        f"INSERT INTO spotify_tracks VALUES ('{SPOTIFY_ID}', 'Alles', 'Ada', NULL, NULL, 12.5, {NOW})",
        f"INSERT INTO spotify_lists VALUES ('spotify:track:{SPOTIFY_ID}', NULL, {NOW})",
        f"INSERT INTO spotify_entries VALUES ('spotify:track:{SPOTIFY_ID}', 0, '{SPOTIFY_ID}', NULL)",
    ],
    5: [f"INSERT INTO spotify_matches VALUES ('{SPOTIFY_ID}', '{TRACK}', 0.97, 'title', {NOW})"],
    6: [f"INSERT INTO spotify_refusals VALUES ('{SPOTIFY_ID}', '{BATCH}', {NOW})"],
}


def make(known: list[migrations.Migration]) -> Path:
    """Write the store of the last schema in `known`, with a row in every table."""
    file = HERE / f"{known[-1].number:04d}.duckdb"
    file.unlink(missing_ok=True)
    with duckdb.connect(str(file), config={"default_block_size": "16384"}) as connection:
        migrations.apply(connection, known)
        later = [row for number, rows in LATER_ROWS.items() if number <= known[-1].number for row in rows]
        for statement in [*ROWS, *later]:
            connection.execute(statement)
        connection.execute("CHECKPOINT")
    return file


if __name__ == "__main__":
    print(make(migrations.known()))
