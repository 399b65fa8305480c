"""Jobs that a person inserts themselves: checked by their kind, then made durable in one commit."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from soundforge_nb.errors import UsageError
from soundforge_nb.jobs.engine import Engine
from soundforge_nb.jobs.kind import Kind

#: What may be said of jobs beside their kind and their arguments, and the type of it.
OPTIONS: dict[str, type | tuple[type, ...]] = {
    "priority": int,
    "max_attempts": int,
    "tags": list,
    "meta": dict,
    "parents": list,
    "scheduled_in_seconds": (int, float),
}


async def insert_jobs(
    engine: Engine,
    kind: str,
    job_ids: list[str],
    args: list[dict[str, Any]],
    options: dict[str, Any],
    *,
    again: bool,
) -> list[str]:
    """Insert jobs of a kind, one for each of `args`, all or none; returns their ids in order.

    Their ids are given, so that a call which is made `again` after a lost connection inserts nothing twice.

    Raises
    ------
    UnknownKind
        The kind is not known here.
    UsageError
        An option or argument does not fit.
    """
    known = engine.kinds[kind]
    if len(args) != len(job_ids):
        raise UsageError(f"{len(args)} jobs were given {len(job_ids)} ids.")
    _check(known, args)
    if not args:
        return []
    like = known.new({}, job_id=job_ids[0], **_checked(known, options))
    if like.parents:
        there = await engine.known(job_ids)
        pairs = zip(job_ids, args, strict=True)
        jobs = [dataclasses.replace(like, job_id=job_id, args=each) for job_id, each in pairs]
        await engine.insert([job for job in jobs if job.job_id not in there])
    else:
        await engine.insert_alike(like, job_ids, args, again=again)
    return job_ids


def _check(kind: Kind, args: list[Any]) -> None:
    for each in args:
        if not isinstance(each, dict):
            shown = json.dumps(each)[:100]
            raise UsageError(f"The arguments of a job of kind {kind.name} are no object: {shown}.")
        kind.check(each)
    if not _is_text(args):
        wrong = next(each for each in args if not _is_text(each))
        raise UsageError(
            f"The arguments of a job of kind {kind.name} hold half of a character, which is no text: "
            f"{json.dumps(wrong)[:100]}.",
            "Leave it out: arguments are JSON in UTF-8.",
        )


def _is_text(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _checked(kind: Kind, options: dict[str, Any]) -> dict[str, Any]:
    given = dict(options)
    for name, value in given.items():
        if name not in OPTIONS or not isinstance(value, OPTIONS[name]) or isinstance(value, bool):
            shown = json.dumps(value)[:100]
            raise UsageError(
                f"A job of kind {kind.name} was given {name} = {shown}, which does not fit.",
                f"Known: {', '.join(OPTIONS)}.",
            )
    if not 0 <= given.get("priority", 0) <= 9 or given.get("max_attempts", 1) < 1:
        raise UsageError("A job's priority is 0 (first) to 9, its max_attempts at least 1.")
    for name in ("tags", "parents"):
        if name in given:
            given[name] = tuple(map(str, given[name]))
    return given
