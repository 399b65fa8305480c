"""The jobs table: every statement that reads or writes it, set-based, as units of work for the store."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from soundforge_nb.errors import JobNotFound
from soundforge_nb.jobs.job import Job, NewJob
from soundforge_nb.jobs.kind import Insert, Update
from soundforge_nb.jobs.states import UNFINISHED, State, check_transition
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


@dataclass(frozen=True)
class Start:
    """A Dask worker's word that it begins a leased job."""

    job_id: str
    lease_id: str
    dask_worker: str
    host: str
    #: Its number; the engine knows it from the claim.
    attempt: int = 0


@dataclass(frozen=True)
class Ack:
    """How a leased run of a job ended, and what is written with it in one transaction."""

    job_id: str
    lease_id: str
    state: State
    outcome: str
    result: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    progress: int = 0
    message: str = ""
    extra_attempts: int = 0
    rescues: int = 0
    scheduled_at: datetime | None = None
    inserts: tuple[Insert, ...] = ()
    updates: tuple[Update, ...] = ()


@dataclass(frozen=True)
class Acknowledged:
    """Whether an end was recorded, and what became of those that had waited for it."""

    accepted: bool
    #: Jobs that were cancelled with it.
    followers: tuple[dict[str, Any], ...] = ()
    #: Jobs that wait for fewer now; of ends recorded together, the first one's entry tells them all.
    released: tuple[dict[str, Any], ...] = ()


class HeldBack(Exception):
    """The fence held back one of several ends that were to be recorded together: record each alone."""


def insert_jobs(session: Session, jobs: Sequence[NewJob], now: datetime) -> None:
    """Insert jobs; those with parents that are not done wait, as do those with a later time.

    A job whose parent has ended badly already is cancelled with it.

    Raises
    ------
    JobNotFound
        A parent does not exist, so that its child would wait for ever.
    """
    session.insert("jobs", JOB_COLUMNS, [_job_row(job, now) for job in jobs])
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
    row = _job_row(like, now)
    names = ("kind", "queue", "meta", "tags", "priority", "state", "max_attempts", "unique_key", "batch_id")
    shared = {name: row[name] for name in (*names, "track_id", "scheduled_at")}
    texts = [json.dumps(each) for each in args]
    session.execute(_sql("insert_alike"), {**shared, "now": now, "job_ids": list(job_ids), "args": texts})


def _job_row(job: NewJob, now: datetime) -> dict[str, Any]:
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
    _cancel_followers(session, dead, "it had ended before", now)


def stage_due(session: Session, queue: str, now: datetime) -> datetime | None:
    """Make available what is due; returns when the next job that waits for no parent will be."""
    session.execute(_sql("stage_due"), {"queue": queue, "now": now})
    row = session.one(_sql("next_due"), {"queue": queue})
    return row[0] if row else None


def claim(
    session: Session,
    queue: str,
    nodes: Sequence[str],
    lease_ids: Sequence[str],
    kind: str | None = None,
    turns: Mapping[str, int] | None = None,
    families: bool | None = None,
) -> list[tuple[Job, str]]:
    """Choose up to one job a slot, where asked for of one kind; returns each with its slot's node.

    The table is told of it later (`folding.claimed`); jobs of which it was not told yet are left out.

    With `turns`, the batches' last turns, jobs of one priority are taken from each batch in turn. `families`
    says whether any job has parents, where that is known.
    """
    wanted: dict[str, Any] = {"queue": queue, "kind": kind, "slots": len(nodes), "taken": session.untold}
    if turns is None:
        rows = session.dicts(_sql("next_jobs"), wanted)
    else:
        wanted |= {"batch_ids": list(turns), "served": list(turns.values())}
        rows = session.dicts(_sql("next_jobs_in_turn"), wanted)
    if not rows:
        return []
    parents = _parent_results(session, [row["job_id"] for row in rows], families)
    return [
        (
            Job(
                **{
                    **row,
                    "lease_id": lease_id,
                    "args": json.loads(row["args"]),
                    "meta": json.loads(row["meta"]),
                    "parents": parents.get(row["job_id"], {}),
                }
            ),
            node,
        )
        for row, lease_id, node in zip(rows, lease_ids, nodes, strict=False)
    ]


def _parent_results(
    session: Session, job_ids: list[str], families: bool | None
) -> dict[str, dict[str, dict[str, Any]]]:
    found: dict[str, dict[str, dict[str, Any]]] = {}
    if any_parents(session) if families is None else families:
        for job_id, parent_id, result in session.rows(_sql("parent_results"), {"job_ids": job_ids}):
            found.setdefault(job_id, {})[parent_id] = json.loads(result) if result else {}
    return found


def any_parents(session: Session) -> bool:
    """Whether any job waits or waited for another."""
    return session.one(_sql("any_parents")) is not None


def acknowledge(
    session: Session, acks: Sequence[Ack], now: datetime, families: bool | None = None
) -> list[Acknowledged]:
    """Record how runs ended, and all that they made; `families`: as for `claim`.

    Raises
    ------
    HeldBack
        Of several, one's lease is dead or told of twice. A single one is answered as not accepted.
    """
    for ack in acks:
        check_transition(State.EXECUTING, ack.state)
    if len({ack.job_id for ack in acks}) < len(acks):
        raise HeldBack
    recorded = _record_ends(session, acks, now)
    if recorded < len(acks):
        if len(acks) > 1:
            raise HeldBack
        return [Acknowledged(False)]
    _record_what_they_made(session, acks, now)
    completed = [ack.job_id for ack in acks if ack.state is State.COMPLETED]
    released: list[dict[str, Any]] = []
    if completed and (any_parents(session) if families is None else families):
        released = session.dicts(_sql("release_children"), {"job_ids": completed, "now": now})
    answers = []
    for ack in acks:
        answers.append(Acknowledged(True, tuple(_cancel_children(session, ack, now)), tuple(released)))
        released = []
    return answers


def _record_ends(session: Session, acks: Sequence[Ack], now: datetime) -> int:
    """Write the ends; returns how many leases held."""
    parameters = {
        "now": now,
        "job_ids": [ack.job_id for ack in acks],
        "lease_ids": [ack.lease_id for ack in acks],
        "states": [ack.state.value for ack in acks],
        "results": [_json(ack.result) for ack in acks],
        "errors": [_json(ack.error) for ack in acks],
        "progresses": [ack.progress for ack in acks],
        "messages": [ack.message for ack in acks],
        "extra_attempts": [ack.extra_attempts for ack in acks],
        "rescues": [ack.rescues for ack in acks],
        "scheduled_ats": [ack.scheduled_at for ack in acks],
    }
    ((recorded,),) = session.rows(_sql("acknowledge"), parameters)
    return int(recorded)


def _record_what_they_made(session: Session, acks: Sequence[Ack], now: datetime) -> None:
    session.execute(
        _sql("end_attempts"),
        {
            "now": now,
            "lease_ids": [ack.lease_id for ack in acks],
            "outcomes": [ack.outcome for ack in acks],
            "errors": [_json(ack.error) for ack in acks],
        },
    )
    for ack in acks:
        for insert in ack.inserts:
            session.insert(insert.table, insert.columns, insert.rows, insert.unless, insert.replace)
        for update in ack.updates:
            session.execute(update.sql, update.parameters)


def _cancel_children(session: Session, ack: Ack, now: datetime) -> list[dict[str, Any]]:
    """Cancel what waits for a job that ended badly; returns it."""
    if ack.state not in (State.DISCARDED, State.CANCELLED):
        return []
    reason = (ack.error or {}).get("message") or ack.message or "it was cancelled"
    return _cancel_followers(session, [ack.job_id], reason, now)


def _cancel_followers(
    session: Session, job_ids: Sequence[str], reason: str, now: datetime
) -> list[dict[str, Any]]:
    """Cancel what waits for jobs that ended badly."""
    if not job_ids:
        return []
    return cancel_waiting(session, job_ids, {"message": reason}, now)


def cancel_waiting(
    session: Session, job_ids: Iterable[str], error: dict[str, Any], now: datetime
) -> list[dict[str, Any]]:
    """Cancel what does not run yet among these jobs and all that follows; returns it, the oldest first."""
    reason = str(error.get("message", ""))
    follower_error = {
        "error": "JobError",
        "kind": "parent_ended",
        "message": f"What it waited for did not complete: {reason}",
        "remedy": "",
    }
    rows = session.dicts(
        _sql("cancel_waiting"),
        {
            "job_ids": list(job_ids),
            "error": json.dumps(error),
            "message": reason,
            "follower_error": json.dumps(follower_error),
            "follower_message": follower_error["message"],
            "now": now,
        },
    )
    # The order of RETURNING is nobody's promise; an identifier's is: what follows was made later.
    return sorted(rows, key=lambda row: str(row["job_id"]))


def retry_jobs(
    session: Session, job_ids: Sequence[str], attempts: int, now: datetime
) -> list[dict[str, Any]]:
    """Give discarded and cancelled jobs `attempts` more attempts; returns those it applied to.

    With them go the parents that they would wait for in vain, and what was cancelled because of them.
    """
    ids = [row[0] for row in session.rows(_sql("to_retry"), {"job_ids": list(job_ids)})]
    if not ids:
        return []
    # Parents that are tried again count as not done, as they did while they were discarded.
    session.execute(_sql("reset_waits"), {"job_ids": ids})
    return session.dicts(_sql("retry"), {"job_ids": ids, "attempts": attempts, "now": now})


def run_now(session: Session, job_ids: Sequence[str], now: datetime) -> list[dict[str, Any]]:
    """Let jobs that wait for their time wait no more; returns those it applied to."""
    return session.dicts(_sql("run_now"), {"job_ids": list(job_ids), "now": now})


def set_progress(session: Session, rows: Sequence[tuple[str, int, str]]) -> None:
    """Write what running jobs said of themselves: (lease id, percent, message) each."""
    lease_ids, progresses, messages = zip(*rows, strict=True)
    session.execute(
        _sql("set_progress"),
        {"lease_ids": list(lease_ids), "progresses": list(progresses), "messages": list(messages)},
    )


def executing(session: Session) -> list[dict[str, Any]]:
    """What stands as executing: after a start, what an application that ended left."""
    return session.dicts(_sql("executing"))


def counts_unfinished(session: Session) -> dict[str, dict[str, int]]:
    """Number of unfinished jobs by queue and state."""
    found: dict[str, dict[str, int]] = {}
    for queue, state, jobs in session.rows(_sql("counts_unfinished")):
        found.setdefault(queue, {})[state] = jobs
    return found


def counts_finished(session: Session) -> list[tuple[str, str, int]]:
    """Queue, state and number of jobs that ended."""
    return [(queue, state, jobs) for queue, state, jobs in session.rows(_sql("counts_finished"))]


def get_jobs(session: Session, job_ids: Sequence[str]) -> list[dict[str, Any]]:
    """Whole rows of jobs, JSON columns read."""
    rows = session.dicts(_sql("get"), {"job_ids": list(job_ids)})
    for row in rows:
        for column in ("args", "result", "error"):
            row[column] = json.loads(row[column]) if row[column] else None
    return rows


def unfinished(session: Session, job_ids: Sequence[str]) -> int:
    """How many of these jobs have not ended yet."""
    found = session.rows(_sql("unfinished"), {"job_ids": list(job_ids), "states": sorted(UNFINISHED)})
    return int(found[0][0])


def _json(value: dict[str, Any] | None) -> str | None:
    return None if value is None else json.dumps(value)
