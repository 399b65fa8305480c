"""The account of a batch: what became of every input, summed up and in full."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

#: What may have become of a step.
DONE, REUSED, FAILED, RUNNING, WAITING = "done", "reused", "failed", "running", "waiting"
STATUSES = (DONE, REUSED, FAILED, RUNNING, WAITING)
_OF_STATE = {
    "completed": DONE,
    "discarded": FAILED,
    "cancelled": FAILED,
    "executing": RUNNING,
}


def status_of(row: Mapping[str, Any]) -> str:
    """What became of one row of an account.

    >>> status_of({"error": None, "reused": False, "state": "retryable"})
    'waiting'
    """
    if row["error"] is not None:
        return FAILED
    if row["reused"]:
        return REUSED
    return _OF_STATE.get(row["state"] or "", WAITING)


def sentence_of(row: Mapping[str, Any]) -> str:
    """Why a row failed, in a sentence."""
    error = row["error"] or row["job_error"] or {}
    return f"{error.get('message', '')} {error.get('remedy', '')}".strip() or "It failed without a word."


def progress_of(row: Mapping[str, Any]) -> int:
    status = status_of(row)
    return (row["progress"] or 0) if status in (RUNNING, WAITING) else 100


def summary(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Counts by step and status, overall percent, what runs now, and what failed.

    Every input is in exactly one of `inputs`: done (every step done or reused), failed (a step
    failed and none is left to do), or under way. What failed of the batch as a whole (its output folder)
    is no input: it stands in `failures` alone.
    """
    steps: dict[str, dict[str, int]] = {}
    by_input: dict[int, list[Mapping[str, Any]]] = {}
    for row in rows:
        if row["position"] >= 0:
            by_input.setdefault(row["position"], []).append(row)
        if row["step"] is not None:
            counts = steps.setdefault(row["step"], dict.fromkeys(STATUSES, 0))
            counts[status_of(row)] += 1
    inputs = {"total": len(by_input), "done": 0, "failed": 0, "under_way": 0}
    for group in by_input.values():
        statuses = {status_of(row) for row in group}
        if statuses & {RUNNING, WAITING}:
            inputs["under_way"] += 1
        else:
            inputs["failed" if FAILED in statuses else "done"] += 1
    percent = sum(map(progress_of, rows)) // len(rows) if rows else 100
    if inputs["under_way"]:
        percent = min(percent, 99)
    return {
        "inputs": inputs,
        "steps": steps,
        "percent": percent,
        "running": [_now(row) for row in rows if status_of(row) == RUNNING],
        "failures": [
            {"name": row["name"], "step": row["step"], "error": sentence_of(row)}
            for row in rows
            if status_of(row) == FAILED
        ],
    }


def _now(row: Mapping[str, Any]) -> dict[str, Any]:
    wanted = ("name", "step", "job_id", "progress", "message", "attempt")
    return {name: row[name] for name in wanted}
