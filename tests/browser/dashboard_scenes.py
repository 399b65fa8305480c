"""States of the dashboard that a real application shows only by chance: for the gallery."""

from __future__ import annotations

from typing import Any

from soundforge_nb.dashboards.dashboard_state import curves, dashboard_state, job_detail, jobs_page
from tests.dashboards import answers

Scene = dict[str, Any]
MANY = 10_000
_LOST = "The connection to the application was lost (CommClosedError). Nothing is lost."


def scenes() -> list[Scene]:
    """Each with a name, the messages that the kernel would have sent, and what it would answer."""
    return [
        _scene("empty", answers.empty(), total=0),
        _scene("busy", answers.busy()),
        _scene("failed", _failed(), rows=[_discarded(n) for n in range(40)]),
        _scene("disconnected", answers.busy(), _lost()),
        _scene("read-only", answers.busy(read_only=True)),
        _scene("many", _many(), total=MANY),
        _scene("job", answers.busy()),
        _scene("metrics", answers.busy(tab="metrics")),
        _scene("system", answers.busy(tab="system")),
        _scene("troubled", answers.troubled() | {"tab": "system"}),
        _scene("unanswered", answers.busy(), _pulse(12.0)),
        {"name": "loading", "messages": []},
    ]


def _scene(
    name: str,
    snapshot: dict[str, Any],
    *more: dict[str, Any],
    total: int = 60,
    rows: list[dict[str, Any]] | None = None,
) -> Scene:
    first = {"type": "snapshot", "number": 1, "at": answers.AT, "state": dashboard_state(snapshot)}
    page = jobs_page(answers.page(min(total, 8)))
    if rows is not None:
        page, total = jobs_page({"total": len(rows), "offset": 0, "rows": rows}), len(rows)
    return {
        "name": name,
        "messages": [first, *more],
        "jobs": {"kinds": [], "tags": []} | page | {"total": total},
        "job": job_detail(answers.whole_job()),
        "metrics": curves(answers.history()),
    }


def _lost() -> dict[str, Any]:
    return {"type": "lost", "number": 1, "at": answers.AT + 5, "sentence": _LOST, "again_seconds": 4.0}


def _pulse(unanswered: float) -> dict[str, Any]:
    return {"type": "pulse", "number": 1, "at": answers.AT + 5, "unanswered_seconds": unanswered}


def _failed() -> dict[str, Any]:
    """Nothing runs any more, and most of it went wrong."""
    return answers.empty(
        queues=[
            answers.queue("download", 3),
            answers.queue("processing", 2, 0, [0] * 40 + [3, 9, 4] + [0] * 17, discarded=37, completed=2),
            answers.queue("analysis", 2, cancelled=1),
        ],
        revision=41,
    )


def _discarded(number: int) -> dict[str, Any]:
    fault = "no longer there" if number % 5 else "cut short: its last frame is missing. Copy it again"
    name = f"Side {number % 4 + 1}, take {number}.flac"
    return answers.history_row(3) | {
        "job_id": f"d{number}",
        "name": f"/home/me/Music/A very long folder name/{name}",
        "error": f"{name} is {fault}.",
        "attempt": 3,
        "tags": [],
    }


def _many() -> dict[str, Any]:
    """Ten thousand jobs on many slots."""
    running = [
        answers.job(
            f"r{n}", "separate_stems", f"/songs/{n:05}.flac", (37 * n) % 100, f"Segment {n} of 50", 5.0 * n
        )
        for n in range(70)
    ]
    waves = [(5 * n * n) % 211 for n in range(60)]
    tracks = [
        answers.track(
            f"t{n}", f"Song number {n}", separate_stems=("executing", n), analyze_track=("available", 0)
        )
        for n in range(40)
    ]
    return answers.busy(
        queues=[
            answers.queue("download", 3),
            answers.queue("processing", 64, 64, waves, executing=64, available=8_120, completed=1_213),
            answers.queue("analysis", 16, 6, waves[::-1], executing=6, available=491, completed=106),
        ],
        running=running,
        pipelines=tracks,
        pipelines_total=1_204,
    )
