"""What the application would answer a dashboard: for tests, and for the gallery."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

EVIL = "<img src=x onerror=alert(1)>"
#: The kernel's clock.
AT = 1795543860.0
Make = Callable[[], dict[str, Any]]
_ADDRESS = "tls://127.0.0.1:42937"
_CHILDREN = (
    *("telemetry", "store", "pubsub", "queue:download", "queue:processing", "queue:analysis"),
    *("lifeline", "endpoint"),
)
ALL_ACTIONS = ["cancel", "retry", "run_now", "pause_queue", "resume_queue", "scale_queue"]


def empty(**parts: Any) -> dict[str, Any]:
    """An application that has nothing to do and never had."""
    return {
        "version": "0.1.0",
        "data_folder": "/home/me/.local/share/soundforge_nb",
        "sequence": 1,
        "queues": [queue("download", 3), queue("processing", 2), queue("analysis", 2)],
        "running": [],
        "pipelines": [],
        "pipelines_total": 0,
        "children": [_child(name) for name in _CHILDREN],
        "dask_workers": [_dask_worker({})],
        "measured_at": AT - 4,
        "actions": ALL_ACTIONS,
        "tab": "jobs",
        "read_only": False,
        "reconnected_at": None,
        "revision": 0,
    } | parts


def busy(**parts: Any) -> dict[str, Any]:
    """Two jobs run, others wait, one failed."""
    waves = [(5 * n * n) % 11 if n % 7 else 0 for n in range(60)]
    running = [
        job("a", "separate_stems", "Late Bloomer", 62, "Segment 31 of 50", 41),
        job("b", "analyze_track", f"/home/me/Music/{EVIL}\x1b[2J.wav", 8, f"Opening {EVIL}", 2, attempt=2),
    ]
    return (
        empty(
            queues=[
                queue("download", 3, paused=True),
                queue("processing", 2, 1, waves, executing=1, available=12, retryable=1, completed=4012),
                queue("analysis", 2, 1, waves[::-1], executing=1, completed=5936, discarded=1),
            ],
            running=running,
            pipelines=[
                track(
                    "t1", "Late Bloomer", separate_stems=("executing", 62), analyze_track=("completed", 100)
                ),
                track("t2", EVIL, separate_stems=("available", 0), analyze_track=("executing", 8)),
                track("t3", "Kite", separate_stems=("available", 0), analyze_track=("discarded", 40)),
                track("t4", "Ångström", separate_stems=("retryable", 0), analyze_track=("completed", 100)),
            ],
            pipelines_total=13,
            dask_workers=[_dask_worker({"processing": 1, "analysis": 1})],
        )
        | parts
    )


def troubled() -> dict[str, Any]:
    """A service is being restarted, and no Dask worker is there."""
    children = [_child(name) for name in _CHILDREN]
    children[1] |= {"state": "restarting", "restarts": 2, "last_reason": "OSError('disk')", "since": None}
    return empty(children=children, dask_workers=[])


def job(
    job_id: str, kind: str, name: str, progress: int, message: str, age: float, attempt: int = 1
) -> dict[str, Any]:
    return {
        "job_id": job_id,
        "kind": kind,
        "queue": "processing" if kind == "separate_stems" else "analysis",
        "name": name,
        "progress": progress,
        "message": message,
        "attempt": attempt,
        "max_attempts": 3,
        "started_at": AT - age,
        "dask_worker": _ADDRESS,
        "pid": 4242,
        "memory_bytes": 812_000_000,
        "cancelling": False,
    }


def page(rows: int, offset: int = 0, size: int = 100) -> dict[str, Any]:
    """A page of a long history."""
    shown = [history_row(number) for number in range(offset, min(rows, offset + size))]
    kinds = {"kinds": ["analyze_track", "separate_stems"], "tags": ["demo", EVIL]}
    return {"total": rows, "offset": offset, "rows": shown} | (kinds if offset == 0 else {})


def history_row(number: int) -> dict[str, Any]:
    state = ("executing", "available", "completed", "discarded", "retryable", "scheduled", "cancelled")[
        number if number < 7 else 2
    ]
    ended = state in ("completed", "discarded", "cancelled")
    return {
        "job_id": f"01a21256-08b2-72dc-9613-{number:012}",
        "kind": "separate_stems" if number % 3 else "analyze_track",
        "queue": "processing" if number % 3 else "analysis",
        "state": state,
        "attempt": 0 if state in ("available", "scheduled") else 1,
        "max_attempts": 3,
        "progress": 62 if state == "executing" else 100 * (state == "completed"),
        "message": "",
        "name": EVIL if number == 1 else f"/home/me/Music/demos/Take {number}.flac",
        "tags": ["demo"] if number % 2 else [],
        "error": "It ends in the middle of a frame." if state == "discarded" else None,
        "waits_for": 0,
        "inserted_at": "2026-11-24T18:04:00.000",
        "scheduled_at": "2026-11-24T18:04:00.000",
        "attempted_at": "2026-11-24T18:05:00.000" if ended else None,
        "ended_at": "2026-11-24T18:06:12.000" if ended else None,
    }


def failures() -> dict[str, Any]:
    rows = [
        history_row(3) | {"name": "Kite", "error": "Kite.flac ends in the middle of a frame."},
        history_row(3) | {"name": EVIL, "error": f"{EVIL}\r\x1b[2Jgone"},
    ]
    return {"total": 2, "offset": 0, "rows": rows}


def whole_job(**parts: Any) -> dict[str, Any]:
    """A job that failed twice, with all there is to say of it."""
    error = {
        "error": "PortCrashed",
        "kind": "crashed",
        "message": f"separate ended by SIGSEGV while it worked on {EVIL}.flac.",
        "remedy": "Try again; if it happens again, see the log.",
        "details": {
            "program": "separate",
            "exit_status": -11,
            "stderr_tail": "\n".join(f"line {n}: torch said {EVIL}" for n in range(12)),
        },
    }
    attempt = {"dask_worker": _ADDRESS, "host": "vm", "outcome": "discarded", "error": error}
    return {
        **history_row(3),
        "args": {"path": f"/home/me/Music/{EVIL}.flac", "separation": {"model": "htdemucs"}},
        "meta": {"title": f"{EVIL}"},
        "track": EVIL,
        "track_id": "t1",
        "batch_id": "01a20ec1-0566-76d8-8bc7-741e93704d64",
        "priority": 5,
        "rescues": 0,
        "attempt": 2,
        "result": None,
        "error": error,
        "dask_worker": _ADDRESS,
        "completed_at": None,
        "cancelled_at": None,
        "discarded_at": "2026-11-24T18:06:12.000",
        "attempts": [
            {"attempt": 1, "started_at": "2026-11-24T18:05:00.000", "ended_at": "2026-11-24T18:05:20.000"}
            | attempt,
            {"attempt": 2, "started_at": "2026-11-24T18:05:30.000", "ended_at": "2026-11-24T18:06:12.000"}
            | attempt,
        ],
        "parents": [],
        "children": [{"job_id": "c", "kind": "analyze_stems", "state": "cancelled", "name": EVIL}],
    } | parts


def history(label: str = "dashboard", points: int = 120) -> dict[str, Any]:
    """Curves that went on for twenty minutes."""
    times = [AT - 10 * (points - n) for n in range(points)]

    def metric(name: str, kind: str, unit: str, group: str, *curves: dict[str, Any]) -> dict[str, Any]:
        return {"name": name, "kind": kind, "unit": unit, "group": group, "curves": list(curves)}

    summary = [[at, 2.0 + (n * 7 % 13) / 4, 6.0 + (n * 5 % 17), 40.0] for n, at in enumerate(times)]
    summary[-1][1] = 2.5
    memory = [[at, 121 + 0.4 * n + (n * 3 % 7)] for n, at in enumerate(times)]
    counts = [[at, float((n * n) % 23)] for n, at in enumerate(times)]
    return {
        "at": AT - 4,
        "metrics": [
            metric(
                "rpc.stop.duration", "summary", "ms", "Calls", {"tags": {"method": label}, "points": summary}
            ),
            metric(
                "topic.publish.count", "counter", "", "Topics", {"tags": {"topic": "jobs"}, "points": counts}
            ),
            metric("job.insert.count", "counter", "", "Jobs"),
            metric("vm.memory.total", "last_value", "MB", "VM", {"tags": {}, "points": memory}),
        ],
    }


def queue(
    name: str, limit: int, running: int = 0, ended: list[int] | None = None, paused: bool = False, **jobs: int
) -> dict[str, Any]:
    return {
        "queue": name,
        "limit": limit,
        "slots": limit,
        "paused": paused,
        "running": running,
        "jobs": jobs,
        "ended": ended or [0] * 60,
    }


def track(track_id: str, title: str, **steps: tuple[str, int]) -> dict[str, Any]:
    told = [
        {"kind": kind, "job_id": f"{track_id}-{kind}", "state": state, "progress": progress}
        for kind, (state, progress) in steps.items()
    ]
    return {"track_id": track_id, "title": title, "steps": told}


def _child(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "state": "running",
        "restart": "permanent",
        "restarts": 0,
        "last_reason": "",
        "age_seconds": 4000.0,
        "since": AT - 4000,
    }


def _dask_worker(used: dict[str, int]) -> dict[str, Any]:
    limits = {"download": 3, "processing": 2, "analysis": 2}
    return {
        "address": _ADDRESS,
        "name": "soundforge-0",
        "host": "vm",
        "status": "running",
        "cores": 2,
        "gpus": 1,
        "kinds": ["analyze_track"],
        "memory_bytes": 182_000_000,
        "cpu_percent": 12.0,
        "seen_at": AT,
        "since": AT - 4000,
        "slots": {queue: {"used": used.get(queue, 0), "limit": limit} for queue, limit in limits.items()},
    }
