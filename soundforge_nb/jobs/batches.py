"""Batches: what was asked for at once, and an account of every input of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from soundforge_nb.store.session import Session
from soundforge_nb.store.statements import statement

_sql = partial(statement, "jobs")

BATCH_COLUMNS = {
    "batch_id": "UUID",
    "options": "JSON",
    "output_folder": "VARCHAR",
    "state": "VARCHAR",
    "inserted_at": "TIMESTAMP",
}
INPUT_COLUMNS = {
    "batch_id": "UUID",
    "position": "INTEGER",
    "name": "VARCHAR",
    "track_id": "UUID",
    "step": "VARCHAR",
    "job_id": "UUID",
    "reused": "BOOLEAN",
    "error": "JSON",
}


@dataclass(frozen=True)
class BatchInput:
    """One step asked for one input: by a job, by what exists already, or not at all with a reason."""

    position: int
    name: str
    track_id: str | None = None
    step: str | None = None
    job_id: str | None = None
    reused: bool = False
    error: dict[str, Any] | None = None


def insert_batch(
    session: Session,
    batch_id: str,
    options: dict[str, Any],
    output_folder: str | None,
    inputs: Sequence[BatchInput],
    now: datetime,
) -> None:
    """Make a batch and its account durable."""
    row = {
        "batch_id": batch_id,
        "options": json.dumps(options),
        "output_folder": output_folder,
        "state": "running",
        "inserted_at": now,
    }
    session.insert("batches", BATCH_COLUMNS, [row])
    rows = [
        {
            **vars(entry),
            "name": _storable(entry.name),
            "batch_id": batch_id,
            "error": None if entry.error is None else json.dumps(entry.error),
        }
        for entry in inputs
    ]
    session.insert("batch_inputs", INPUT_COLUMNS, rows)


def done_batches(
    session: Session, job_ids: Sequence[str] | None = None, batch_id: str | None = None
) -> list[str]:
    """Running batches in which nothing is left to do: all, those of these jobs, or the one named."""
    ids = None if job_ids is None else list(job_ids)
    rows = session.rows(_sql("done_batches"), {"job_ids": ids, "batch_id": batch_id})
    return [row[0] for row in rows]


def _storable(name: str) -> str:
    """A name as text that the database takes: bytes of a file name that are no text are escaped."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def finish_batch(session: Session, batch_id: str, now: datetime) -> bool:
    """Mark a running batch as finished; False where it was not running."""
    return bool(session.rows(_sql("finish_batch"), {"batch_id": batch_id, "now": now}))


def reopen_batches(session: Session, job_ids: Sequence[str]) -> list[str]:
    """Batches of jobs that are tried again run again; returns those that had finished."""
    reopened = [row[0] for row in session.rows(_sql("reopen_batches"), {"job_ids": list(job_ids)})]
    session.execute(_sql("forget_batch_errors"), {"batch_ids": reopened})
    return reopened


def get_batch(session: Session, batch_id: str) -> dict[str, Any] | None:
    """A batch's own row."""
    rows = session.dicts(_sql("get_batch"), {"batch_id": batch_id})
    if not rows:
        return None
    rows[0]["options"] = json.loads(rows[0]["options"])
    return rows[0]


def account(session: Session, batch_id: str) -> list[dict[str, Any]]:
    """Every input and step of a batch with its job as it stands, in order."""
    rows = session.dicts(_sql("account"), {"batch_id": batch_id})
    for row in rows:
        for column in ("error", "job_error", "result"):
            row[column] = json.loads(row[column]) if row[column] else None
    return rows


def pending_jobs(session: Session, unique_keys: Sequence[str]) -> dict[str, str]:
    """Unfinished jobs that do what these keys name, by key."""
    return dict(session.rows(_sql("pending_jobs"), {"unique_keys": list(unique_keys)}))


def add_error(session: Session, batch_id: str, name: str, error: dict[str, Any]) -> None:
    """Add to a batch's account what went wrong with the batch as a whole."""
    row = {
        "batch_id": batch_id,
        "position": -1,
        "name": name,
        "reused": False,
        "error": json.dumps(error),
    }
    session.insert("batch_inputs", INPUT_COLUMNS, [row])


def own_jobs(session: Session, batch_id: str) -> list[str]:
    """Unfinished jobs that no other running batch waits for."""
    return [row[0] for row in session.rows(_sql("own_jobs"), {"batch_id": batch_id})]
