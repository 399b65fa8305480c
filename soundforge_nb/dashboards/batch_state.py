"""What the view of a batch shows: its snapshot, cut down to what fits a screen."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

#: The statuses of a step, in the order in which bars and columns show them: what has ended, then the rest.
STATUSES = ("done", "reused", "failed", "running", "waiting")
STEP_NAMES = {
    "download": "Download",
    "separate": "Separate",
    "analyze": "Analyze",
    "analyze_stems": "Analyze stems",
}

#: Rows beyond these are counted, not sent: a view is read by a person.
SHOWN_RUNNING = 50
SHOWN_FAILURES = 50


def batch_state(snapshot: dict[str, Any]) -> dict[str, Any]:
    """The state of a batch's view, as the front end's ``BatchState`` (widgets/src/batch/messages.ts)."""
    running, failures = snapshot["running"], snapshot["failures"]
    return {
        "batch_id": snapshot["batch_id"],
        "state": snapshot["state"],
        "percent": snapshot["percent"],
        "inputs": {name: snapshot["inputs"][name] for name in ("total", "done", "failed", "under_way")},
        "steps": [
            {"step": step} | {status: counts.get(status, 0) for status in STATUSES}
            for step, counts in snapshot["steps"].items()
        ],
        "running": [_running(entry) for entry in running[:SHOWN_RUNNING]],
        "running_more": max(0, len(running) - SHOWN_RUNNING),
        "failures": [
            {"name": entry["name"], "step": entry["step"], "error": entry["error"]}
            for entry in failures[:SHOWN_FAILURES]
        ],
        "failures_more": max(0, len(failures) - SHOWN_FAILURES),
        # What was refused before it became a job has no job to try again.
        "retryable": sum(entry["step"] is not None for entry in failures),
        "started_at": epoch_seconds(snapshot["inserted_at"]),
        "finished_at": epoch_seconds(snapshot["finished_at"]),
    }


def epoch_seconds(moment: str | None) -> float | None:
    """A time of the store (UTC, without a zone mark) in seconds since 1970.

    >>> epoch_seconds("1970-01-01T00:01:00.500")
    60.5
    """
    if moment is None:
        return None
    parsed = datetime.fromisoformat(moment)
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()


def _running(entry: dict[str, Any]) -> dict[str, Any]:
    return {
        "job_id": entry["job_id"],
        "name": entry["name"],
        "step": entry["step"],
        "progress": entry["progress"] or 0,
        "message": entry["message"] or "",
        "attempt": entry["attempt"] or 0,
    }
