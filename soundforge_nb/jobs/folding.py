"""Claims, starts and light ends as events of the journal, and how the tables are told of many together.

Each statement is fenced as an acknowledgement is: a lease that is no longer the job's changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from soundforge_nb.jobs.states import State, check_transition
from soundforge_nb.jobs.table import Ack, Start
from soundforge_nb.store.journal import Event
from soundforge_nb.store.session import Session
from soundforge_nb.store.statements import statement

_sql = partial(statement, "jobs")

#: What the statements are given of every lease, with the type of each.
_COLUMNS = (
    ("job_id", "UUID"),
    ("lease_id", "UUID"),
    ("claims", "BOOLEAN"),
    ("node", "VARCHAR"),
    ("attempt", "INTEGER"),
    ("host", "VARCHAR"),
    ("started_at", "TIMESTAMP"),
    ("state", "VARCHAR"),
    ("outcome", "VARCHAR"),
    ("result", "JSON"),
    ("error", "JSON"),
    ("progress", "INTEGER"),
    ("message", "VARCHAR"),
    ("extra_attempts", "INTEGER"),
    ("rescues", "INTEGER"),
    ("scheduled_at", "TIMESTAMP"),
    ("ended_at", "TIMESTAMP"),
)
_LEASES = ", ".join(f"unnest(${name}::{type_}[]) AS {name}" for name, type_ in _COLUMNS)


def claimed(job_id: str, lease_id: str, node: str) -> Event:
    """A job was given a lease and a slot of a node. A crash may forget it: nothing began."""
    return {"key": job_id, "lease_id": lease_id, "claims": True, "node": node}


def started(start: Start, now: datetime) -> Event:
    """A leased job begins, as an attempt of its own."""
    return {
        "key": start.job_id,
        "lease_id": start.lease_id,
        "attempt": start.attempt,
        "node": start.dask_worker,
        "host": start.host,
        "started_at": now.isoformat(),
    }


def ended(ack: Ack, now: datetime) -> Event:
    """A run ended, and made nothing but a result.

    Raises
    ------
    ForbiddenTransition
        No run ends in that state.
    """
    check_transition(State.EXECUTING, ack.state)
    return {
        "key": ack.job_id,
        "lease_id": ack.lease_id,
        "state": ack.state.value,
        "outcome": ack.outcome,
        "result": _json(ack.result),
        "error": _json(ack.error),
        "progress": ack.progress,
        "message": ack.message,
        "extra_attempts": ack.extra_attempts,
        "rescues": ack.rescues,
        "scheduled_at": None if ack.scheduled_at is None else ack.scheduled_at.isoformat(),
        "ended_at": now.isoformat(),
    }


def fold(session: Session, events: Sequence[Event], after_crash: bool = False) -> None:
    """Tell the tables of events.

    After a crash they may know some of them already, and of claims they were told nothing: a start whose
    attempt is there is left out, and the others claim their job themselves.
    """
    for leases in _rounds(events):
        if after_crash:
            leases = _unknown(session, leases)
        _fold_round(session, leases)


def _rounds(events: Sequence[Event]) -> Iterable[list[dict[str, Any]]]:
    """What became of each lease, so that a job is in each round at most once."""
    leases: dict[str, dict[str, Any]] = {}
    for event in events:
        key = event["key"]
        if key in leases and leases[key]["lease_id"] != event["lease_id"]:
            yield list(leases.values())
            leases = {}
        leases.setdefault(key, {"job_id": key}).update(event)
    if leases:
        yield list(leases.values())


def _unknown(session: Session, leases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    ids = [lease["lease_id"] for lease in leases]
    known = {row[0] for row in session.rows(_sql("known_attempts"), {"lease_ids": ids})}
    found = []
    for lease in leases:
        if lease["lease_id"] not in known:
            found.append({**lease, "claims": "claims" in lease or "attempt" in lease})
        elif "state" in lease:
            found.append({name: value for name, value in lease.items() if name not in ("attempt", "claims")})
    return found


def _fold_round(session: Session, leases: list[dict[str, Any]]) -> None:
    starts = [lease for lease in leases if "attempt" in lease]
    if starts:
        # Before the jobs' own rows change: both are held to the same fence.
        session.execute(_with_leases("fold_starts"), _columns(starts))
    ends = [lease for lease in leases if "state" in lease and "attempt" not in lease]
    if ends:
        session.execute(_with_leases("fold_ends"), _columns(ends))
    if leases:
        session.execute(_with_leases("fold"), _columns(leases))


def _with_leases(name: str) -> str:
    # Names and types are literals of this module, the values are parameters.
    return _sql(name).replace("given_leases", f"(SELECT {_LEASES})")


def _columns(leases: list[dict[str, Any]]) -> dict[str, list[Any]]:
    return {name: [lease.get(name) for lease in leases] for name, _ in _COLUMNS}


def _json(value: dict[str, Any] | None) -> str | None:
    return None if value is None else json.dumps(value)
