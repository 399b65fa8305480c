"""Jobs that a person inserts themselves: checked by their kind, then made durable in one commit."""

from __future__ import annotations

import json
from typing import Any

from soundforge_nb.errors import UsageError
from soundforge_nb.jobs.engine import Engine
from soundforge_nb.jobs.job import NewJob
from soundforge_nb.jobs.kind import Kinds

#: What may be said of a job beside its kind and its arguments, and the type of it.
OPTIONS: dict[str, type | tuple[type, ...]] = {
    "job_id": str,
    "priority": int,
    "max_attempts": int,
    "tags": list,
    "meta": dict,
    "parents": list,
    "scheduled_in_seconds": (int, float),
}


async def insert_jobs(engine: Engine, wanted: list[dict[str, Any]]) -> list[str]:
    """Insert jobs as asked for, all or none; returns their ids in order.

    Each names its id, so that a call which is repeated after a lost connection inserts nothing twice.

    Raises
    ------
    UnknownKind
        A kind is not known here.
    UsageError
        An option or argument does not fit.
    """
    jobs = [_new_job(engine.kinds, entry) for entry in wanted]
    there = await engine.known([job.job_id for job in jobs])
    await engine.insert([job for job in jobs if job.job_id not in there])
    return [job.job_id for job in jobs]


def _new_job(kinds: Kinds, entry: dict[str, Any]) -> NewJob:
    given = dict(entry)
    kind, args = kinds[str(given.pop("kind", ""))], given.pop("args", {})
    if not isinstance(args, dict):
        raise UsageError(
            f"The arguments of a job of kind {kind.name} are no object: {json.dumps(args)[:100]}."
        )
    for name, value in given.items():
        if name not in OPTIONS or not isinstance(value, OPTIONS[name]) or isinstance(value, bool):
            shown = json.dumps(value)[:100]
            raise UsageError(
                f"A job of kind {kind.name} was given {name} = {shown}, which does not fit.",
                f"Known: {', '.join(OPTIONS)}.",
            )
    if not 0 <= given.get("priority", 0) <= 9 or given.get("max_attempts", 1) < 1:
        raise UsageError("A job's priority is 0 (first) to 9, its max_attempts at least 1.")
    kind.check(args)
    if "tags" in given:
        given["tags"] = tuple(map(str, given["tags"]))
    if "parents" in given:
        given["parents"] = tuple(map(str, given["parents"]))
    return kind.new(args, **given)
