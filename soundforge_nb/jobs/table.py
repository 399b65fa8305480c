"""The jobs table, as it is read: what is next, what runs, what there is; set-based, as units of work."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from soundforge_nb.jobs.states import UNFINISHED
from soundforge_nb.store.session import Session
from soundforge_nb.store.statements import statement

_sql = partial(statement, "jobs")


def next_jobs(
    session: Session,
    queue: str,
    count: int,
    *,
    kind: str | None = None,
    turns: Mapping[str, int] | None = None,
    without: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """Up to so many jobs that are to be claimed next, as rows, where asked for of one kind.

    Jobs of which the table was not told yet, by a claim for example, are left out, as are those `without`.
    With `turns`, the batches' last turns, jobs of one priority are taken from each batch in turn.
    """
    wanted: dict[str, Any] = {"queue": queue, "kind": kind, "slots": count}
    wanted["taken"] = [*session.untold, *without]
    if turns is None:
        return session.dicts(_sql("next_jobs"), wanted)
    wanted |= {"batch_ids": list(turns), "served": list(turns.values())}
    return session.dicts(_sql("next_jobs_in_turn"), wanted)


def parent_results(
    session: Session, job_ids: Sequence[str], families: bool | None
) -> dict[str, dict[str, dict[str, Any]]]:
    """The results of these jobs' parents, by job and parent; `families` says whether any job has parents."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    if any_parents(session) if families is None else families:
        for job_id, parent_id, result in session.rows(_sql("parent_results"), {"job_ids": list(job_ids)}):
            found.setdefault(job_id, {})[parent_id] = json.loads(result) if result else {}
    return found


def any_parents(session: Session) -> bool:
    """Whether any job waits or waited for another."""
    return session.one(_sql("any_parents")) is not None


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
