"""Making jobs: their rows, and what they wait for."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from soundforge_nb.errors import JobNotFound
from soundforge_nb.jobs.job import NewJob
from soundforge_nb.jobs.states import State
from soundforge_nb.jobs.waiting import cancel_followers
from soundforge_nb.store.session import Session
from soundforge_nb.store.statements import statement

_sql = partial(statement, "jobs")

JOB_COLUMNS = {
    "job_id": "UUID",
    "kind": "VARCHAR",
    "queue": "VARCHAR",
    "args": "JSON",
    "meta": "JSON",
    "tags": "JSON",
    "priority": "INTEGER",
    "state": "VARCHAR",
    "attempt": "INTEGER",
    "max_attempts": "INTEGER",
    "rescues": "INTEGER",
    "progress": "INTEGER",
    "message": "VARCHAR",
    "unique_key": "VARCHAR",
    "batch_id": "UUID",
    "track_id": "UUID",
    "waits_for": "INTEGER",
    "inserted_at": "TIMESTAMP",
    "scheduled_at": "TIMESTAMP",
}
PARENT_COLUMNS = {"job_id": "UUID", "parent_id": "UUID"}


def insert_jobs(session: Session, jobs: Sequence[NewJob], now: datetime) -> None:
    """Insert jobs; those with parents that are not done wait, as do those with a later time.

    A job whose parent has ended badly already is cancelled with it.

    Raises
    ------
    JobNotFound
        A parent does not exist, so that its child would wait for ever.
    """
    session.insert("jobs", JOB_COLUMNS, [row_of(job, now) for job in jobs])
    links = [
        {"job_id": job.job_id, "parent_id": parent} for job in jobs for parent in dict.fromkeys(job.parents)
    ]
    if links:
        session.insert("job_parents", PARENT_COLUMNS, links)
        _see_to_parents(session, links, now)


def insert_alike(
    session: Session, like: NewJob, job_ids: Sequence[str], args: Sequence[dict[str, Any]], now: datetime
) -> None:
    """Insert jobs without parents that are like one another but for their arguments; those there are left."""
    row = row_of(like, now)
    names = ("kind", "queue", "meta", "tags", "priority", "state", "max_attempts", "unique_key", "batch_id")
    shared = {name: row[name] for name in (*names, "track_id", "scheduled_at")}
    # One text for all of them: to write each, and to bind it, takes longer than to insert it.
    texts = json.dumps(list(args))
    session.execute(_sql("insert_alike"), {**shared, "now": now, "job_ids": list(job_ids), "args": texts})


def row_of(job: NewJob, now: datetime) -> dict[str, Any]:
    """The row of a new job."""
    return {
        "job_id": job.job_id,
        "kind": job.kind,
        "queue": job.queue,
        "args": json.dumps(job.args),
        "meta": json.dumps(job.meta),
        "tags": json.dumps(job.tags),
        "priority": job.priority,
        "state": State.SCHEDULED if job.waits else State.AVAILABLE,
        "attempt": 0,
        "max_attempts": job.max_attempts,
        "rescues": 0,
        "progress": 0,
        "message": "",
        "unique_key": job.unique_key,
        "batch_id": job.batch_id,
        "track_id": job.track_id,
        "waits_for": 0,
        "inserted_at": now,
        "scheduled_at": now + timedelta(seconds=job.scheduled_in_seconds),
    }


def _see_to_parents(session: Session, links: Sequence[dict[str, str]], now: datetime) -> None:
    parents = sorted({link["parent_id"] for link in links})
    states = dict(session.rows(_sql("parent_states"), {"job_ids": parents}))
    if missing := [parent for parent in parents if parent not in states]:
        raise JobNotFound(f"There is no job {missing[0]} to wait for.")
    # A parent may be an older job that completed long ago.
    session.execute(_sql("reset_waits"), {"job_ids": sorted({link["job_id"] for link in links})})
    dead = [parent for parent in parents if states[parent] in (State.DISCARDED, State.CANCELLED)]
    cancel_followers(session, dead, "it had ended before", now)
