"""The tables of tracks, files, stems and analyses: every statement on them, as units of work."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from soundforge_nb.library.examine import Examined, Stamp
from soundforge_nb.lifecycle.identifiers import new_id
from soundforge_nb.store.session import Session
from soundforge_nb.store.statements import statement

_sql = partial(statement, "library")

TRACK_COLUMNS = {
    "track_id": "UUID",
    "byte_hash": "VARCHAR",
    "title": "VARCHAR",
    "artist": "VARCHAR",
    "album": "VARCHAR",
    "genre": "VARCHAR",
    "year": "INTEGER",
    "isrc": "VARCHAR",
    "duration_seconds": "DOUBLE",
    "sample_rate_hz": "INTEGER",
    "channels": "INTEGER",
    "format": "VARCHAR",
    "added_at": "TIMESTAMP",
}
FILE_COLUMNS = {
    "path": "VARCHAR",
    "track_id": "UUID",
    "byte_hash": "VARCHAR",
    "size_bytes": "BIGINT",
    "mtime_ns": "BIGINT",
    "added_at": "TIMESTAMP",
}
STEM_COLUMNS = {
    "stem_id": "UUID",
    "track_id": "UUID",
    "job_id": "UUID",
    "request_key": "VARCHAR",
    "content_key": "VARCHAR",
    "byte_hash": "VARCHAR",
    "stem": "VARCHAR",
    "path": "VARCHAR",
    "format": "VARCHAR",
    "size_bytes": "BIGINT",
    "sha256": "VARCHAR",
    "duration_seconds": "DOUBLE",
    "sample_rate_hz": "INTEGER",
    "channels": "INTEGER",
    "peak": "DOUBLE",
    "rms": "DOUBLE",
    "envelope": "JSON",
    "model": "VARCHAR",
    "model_sha256": "VARCHAR",
    "parameters": "JSON",
    "null_residual_db": "DOUBLE",
    "code_version": "INTEGER",
    "inserted_at": "TIMESTAMP",
}
STEM_REQUEST_COLUMNS = {"request_key": "VARCHAR", "track_id": "UUID", "content_key": "VARCHAR"}
ANALYSIS_COLUMNS = {
    "analysis_id": "UUID",
    "track_id": "UUID",
    "job_id": "UUID",
    "source": "VARCHAR",
    "stem_id": "UUID",
    "request_key": "VARCHAR",
    "byte_hash": "VARCHAR",
    "features": "VARCHAR",
    "tempo": "DOUBLE",
    "key": "VARCHAR",
    "energy": "DOUBLE",
    "spectral_centroid": "DOUBLE",
    "spectral_rolloff": "DOUBLE",
    "zero_crossing_rate": "DOUBLE",
    "analysis": "JSON",
    "curves": "JSON",
    "code_version": "INTEGER",
    "inserted_at": "TIMESTAMP",
}


def known_stamps(session: Session, paths: Sequence[str]) -> dict[str, tuple[Stamp, str]]:
    """What is known of these paths: their stamp when last seen, and the track they are."""
    rows = session.rows(_sql("known_files"), {"paths": list(paths)})
    return {path: (Stamp(size, mtime), track_id) for path, size, mtime, track_id in rows}


def add_files(session: Session, files: Sequence[Examined], now: datetime) -> dict[str, str]:
    """Make tracks of examined files; the same bytes are the same track. Returns track ids by path."""
    # A path named twice counts as it was seen last.
    files = list({file.path: file for file in files}.values())
    hashes = sorted({file.byte_hash for file in files})
    known = dict(session.rows(_sql("tracks_by_hash"), {"byte_hashes": hashes}))
    new_tracks = []
    for file in files:
        if file.byte_hash in known:
            continue
        known[file.byte_hash] = new_id()
        tags = {name: getattr(file.tags, name) for name in file.tags.__dataclass_fields__}
        new_tracks.append(
            tags
            | {
                "track_id": known[file.byte_hash],
                "byte_hash": file.byte_hash,
                "title": file.title,
                "format": file.format,
                "added_at": now,
            }
        )
    session.insert("tracks", TRACK_COLUMNS, new_tracks)
    session.execute(_sql("forget_files"), {"paths": [file.path for file in files]})
    rows = [
        {
            "path": file.path,
            "track_id": known[file.byte_hash],
            "byte_hash": file.byte_hash,
            "size_bytes": file.stamp.size_bytes,
            "mtime_ns": file.stamp.mtime_ns,
            "added_at": now,
        }
        for file in files
    ]
    session.insert("files", FILE_COLUMNS, rows)
    return {file.path: known[file.byte_hash] for file in files}


def tracks(session: Session, track_ids: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Tracks with the newest of their files; all of them, or those asked for in the order asked.

    An id whose track became another's gives that one.
    """
    by_id = tracks_by_id(session, track_ids)
    if track_ids is None:
        return list(by_id.values())
    return [by_id[track_id] for track_id in track_ids if track_id in by_id]


def tracks_by_id(session: Session, track_ids: Sequence[str] | None = None) -> dict[str, dict[str, Any]]:
    """Tracks by the ids they were asked for by, which may lead to a track with another id by now."""
    rows = session.dicts(_sql("tracks"), {"track_ids": None if track_ids is None else list(track_ids)})
    return {row.pop("asked_id"): row for row in rows}


def stems_by_request(session: Session, request_keys: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Stems that exist for these requests, by request key."""
    return _grouped(session.dicts(_sql("stems_by_request"), {"request_keys": list(request_keys)}))


def analyses_by_request(session: Session, request_keys: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Analyses that exist for these requests, by request key."""
    return _grouped(session.dicts(_sql("analyses_by_request"), {"request_keys": list(request_keys)}))


def analysis(
    session: Session, track_id: str, source: str, request_key: str | None = None
) -> dict[str, Any] | None:
    """The newest whole analysis of a track's mixture or stem, or the one a request asked for."""
    parameters = {"track_id": track_id, "source": source, "request_key": request_key}
    rows = session.dicts(_sql("newest_analysis"), parameters)
    if not rows:
        return None
    row = rows[0]
    for column in ("analysis", "curves"):
        row[column] = json.loads(row[column])
    return row


def stems(session: Session, track_id: str) -> list[dict[str, Any]]:
    """The stems of a track, newest separation first."""
    rows = session.dicts(_sql("stems_of_track"), {"track_id": track_id})
    for row in rows:
        row["envelope"] = json.loads(row["envelope"])
    return rows


def _grouped(rows: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["request_key"], []).append(row)
    return found
