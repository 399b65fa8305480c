"""What the dashboard shows: the application's answers, cut and turned into the front end's messages.

The shapes are those of widgets/src/dashboard/messages.ts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from soundforge_nb.dashboards.batch_state import epoch_seconds

TABS = ("jobs", "metrics", "system")
#: The states of a job, in the order in which a job may come through them.
STATES = ("available", "scheduled", "executing", "retryable", "completed", "discarded", "cancelled")
#: The parts of the state that are rows, by the id of a row.
ROWS = {
    "queues": "queue",
    "running": "job_id",
    "tracks": "track_id",
    "children": "name",
    "dask_workers": "address",
}
#: Rows beyond these are counted, not sent.
SHOWN_RUNNING = 60
SHOWN_TEXT = 20_000
_MEGABYTE = 1_000_000

Row = dict[str, Any]


def dashboard_state(snapshot: Mapping[str, Any]) -> Row:
    """The state of the view, as the front end's ``DashboardState``."""
    running = snapshot["running"]
    return {
        "state": "live",
        "tab": snapshot["tab"],
        "read_only": snapshot["read_only"],
        "version": snapshot["version"],
        "data_folder": snapshot["data_folder"],
        "actions": [] if snapshot["read_only"] else snapshot["actions"],
        "states": {
            state: sum(queue["jobs"].get(state, 0) for queue in snapshot["queues"]) for state in STATES
        },
        "queues": [_queue(queue) for queue in snapshot["queues"]],
        "running": [_running(row) for row in running[:SHOWN_RUNNING]],
        "running_more": max(0, len(running) - SHOWN_RUNNING),
        "tracks": [_track(track) for track in snapshot["pipelines"]],
        "tracks_more": max(0, snapshot["pipelines_total"] - len(snapshot["pipelines"])),
        "children": [_child(child) for child in snapshot["children"]],
        "dask_workers": [_dask_worker(worker) for worker in snapshot["dask_workers"]],
        "reconnected_at": snapshot["reconnected_at"],
        "revision": snapshot["revision"],
        "measured_at": snapshot["measured_at"],
    }


def jobs_page(page: Mapping[str, Any]) -> Row:
    """A page of jobs; what there is to filter by only where it was asked for."""
    return {
        "total": page["total"],
        "offset": page["offset"],
        "rows": [_job(row) for row in page["rows"]],
        "kinds": page.get("kinds"),
        "tags": page.get("tags"),
    }


def job_detail(job: Mapping[str, Any]) -> Row:
    """One job in full."""
    return {
        "job_id": job["job_id"],
        "kind": job["kind"],
        "queue": job["queue"],
        "state": job["state"],
        "name": _name(job),
        "track": job["track"],
        "batch_id": job["batch_id"],
        "priority": job["priority"],
        "attempt": job["attempt"],
        "max_attempts": job["max_attempts"],
        "rescues": job["rescues"],
        "progress": job["progress"],
        "message": job["message"],
        "tags": job["tags"] or [],
        "waits_for": job["waits_for"],
        "args": _pretty(job["args"]),
        "result": None if job["result"] is None else _pretty(job["result"]),
        "error": error_sentence(job["error"]),
        "inserted_at": epoch_seconds(job["inserted_at"]),
        "scheduled_at": epoch_seconds(job["scheduled_at"]),
        "ended_at": epoch_seconds(job["completed_at"] or job["cancelled_at"] or job["discarded_at"]),
        "attempts": [_attempt(attempt) for attempt in job["attempts"]],
        "parents": job["parents"],
        "children": job["children"],
    }


def curves(history: Mapping[str, Any]) -> Row:
    """The metrics with their curves; a curve is told by what tells it apart."""
    return {
        "at": history["at"],
        "metrics": [
            {
                **{name: metric[name] for name in ("name", "kind", "unit", "group")},
                "curves": [
                    {"label": " · ".join(filter(None, curve["tags"].values())), "points": curve["points"]}
                    for curve in metric["curves"]
                ],
            }
            for metric in history["metrics"]
        ],
    }


def error_sentence(error: Mapping[str, Any] | None) -> str | None:
    """What went wrong and what to do, in one or two sentences."""
    if not error:
        return None
    return f"{error.get('message', '')} {error.get('remedy', '')}".strip() or "It failed without a word."


def _queue(queue: Mapping[str, Any]) -> Row:
    jobs = queue["jobs"]
    return {
        "queue": queue["queue"],
        "limit": queue["limit"],
        "slots": queue["slots"],
        "paused": queue["paused"],
        "running": queue["running"],
        "waiting": jobs.get("available", 0),
        "scheduled": jobs.get("scheduled", 0),
        "retryable": jobs.get("retryable", 0),
        "ended": queue["ended"],
    }


def _running(row: Mapping[str, Any]) -> Row:
    return {
        "job_id": row["job_id"],
        "kind": row["kind"],
        "queue": row["queue"],
        "name": row["name"],
        "progress": row["progress"],
        "message": row["message"],
        "attempt": row["attempt"],
        "started_at": row["started_at"],
        "dask_worker": row["dask_worker"],
        "pid": row["pid"],
        "memory_mb": None if row["memory_bytes"] is None else round(row["memory_bytes"] / _MEGABYTE),
        "cancelling": row["cancelling"],
    }


def _track(track: Mapping[str, Any]) -> Row:
    steps = [{name: step[name] for name in ("kind", "state", "progress")} for step in track["steps"]]
    return {"track_id": track["track_id"], "title": track["title"], "steps": steps}


def _child(child: Mapping[str, Any]) -> Row:
    return {
        **{name: child[name] for name in ("name", "state", "restart", "restarts", "last_reason")},
        "since": child["since"],
    }


def _dask_worker(worker: Mapping[str, Any]) -> Row:
    return {
        "address": worker["address"],
        "name": worker.get("name", ""),
        "host": worker.get("host", ""),
        "status": worker.get("status", "running"),
        "cores": worker.get("cores", 0),
        "gpus": worker.get("gpus", 0),
        "memory_mb": round(worker.get("memory_bytes", 0) / _MEGABYTE),
        "since": worker.get("since"),
        "slots": [{"queue": queue, **slot} for queue, slot in worker["slots"].items()],
    }


def _job(row: Mapping[str, Any]) -> Row:
    kept = ("job_id", "kind", "queue", "state", "attempt", "max_attempts", "progress", "message", "waits_for")
    return {
        **{name: row[name] for name in kept},
        "name": row["name"] or "",
        "tags": row["tags"],
        "error": row["error"],
        **{name: epoch_seconds(row[name]) for name in ("inserted_at", "scheduled_at", "ended_at")},
        "started_at": epoch_seconds(row["attempted_at"]),
    }


def _name(job: Mapping[str, Any]) -> str:
    args, meta = job["args"] or {}, job["meta"] or {}
    told = (meta.get("title"), meta.get("name"), args.get("title"), args.get("path"), args.get("url"))
    return next((str(entry) for entry in told if entry), "")


def _attempt(attempt: Mapping[str, Any]) -> Row:
    error = attempt["error"] or {}
    details = error.get("details") or {}
    return {
        "attempt": attempt["attempt"],
        "dask_worker": attempt["dask_worker"],
        "host": attempt["host"],
        "started_at": epoch_seconds(attempt["started_at"]),
        "ended_at": epoch_seconds(attempt["ended_at"]),
        "outcome": attempt["outcome"],
        "error": error_sentence(attempt["error"]),
        "details": [
            {
                "name": str(name).replace("_", " "),
                "text": _cut(value if isinstance(value, str) else _pretty(value)),
            }
            for name, value in details.items()
        ],
    }


def _pretty(value: Any) -> str:
    return _cut(json.dumps(value, indent=2, ensure_ascii=False))


def _cut(text: str) -> str:
    return (
        text
        if len(text) <= SHOWN_TEXT
        else f"{text[:SHOWN_TEXT]}\n… {len(text) - SHOWN_TEXT} more characters"
    )
