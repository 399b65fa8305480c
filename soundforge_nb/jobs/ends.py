"""Ends of runs, each recorded with all that the run made; fenced by its lease."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from soundforge_nb.jobs import table
from soundforge_nb.jobs.kind import Insert, Update
from soundforge_nb.jobs.states import State, check_transition
from soundforge_nb.jobs.waiting import cancel_followers
from soundforge_nb.store.session import Session
from soundforge_nb.store.statements import statement

_sql = partial(statement, "jobs")


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


def acknowledge(
    session: Session, acks: Sequence[Ack], now: datetime, families: bool | None = None
) -> list[Acknowledged]:
    """Record how runs ended, and all that they made; `families`: as for `table.parent_results`.

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
    if completed and (table.any_parents(session) if families is None else families):
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
    return cancel_followers(session, [ack.job_id], reason, now)


def _json(value: dict[str, Any] | None) -> str | None:
    return None if value is None else json.dumps(value)
