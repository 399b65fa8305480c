"""States of the view of a batch that a real run shows only by chance: for the gallery."""

from __future__ import annotations

from typing import Any

from soundforge_nb.dashboards.batch_state import batch_state

EVIL = "<img src=x onerror=alert(1)>"
_BEGAN, _ENDED = "2026-11-24T18:11:00.582", "2026-11-24T18:32:47.338"
#: The kernel's clock: four minutes after the batch began.
_AT = 1795543860.6 + 240


def scenes() -> list[dict[str, Any]]:
    """Each with a name and the messages that the kernel would have sent."""
    return [
        {"name": "busy", "messages": [_snapshot(_busy())]},
        {"name": "finished", "messages": [_snapshot(_finished(12, []))]},
        {"name": "failed", "messages": [_snapshot(_finished(2, _faults()))]},
        {"name": "many-failures", "messages": [_snapshot(_finished(0, _faults() * 40))]},
        {"name": "disconnected", "messages": [_snapshot(_busy()), _lost()]},
        {"name": "unanswered", "messages": [_snapshot(_busy()), _pulse(12.0)]},
        {"name": "empty", "messages": [_snapshot(_empty())]},
        {"name": "waiting", "messages": [_snapshot(_waiting())]},
        {"name": "loading", "messages": []},
        {"name": "huge", "messages": [_snapshot(_huge())]},
    ]


def _snapshot(batch: dict[str, Any]) -> dict[str, Any]:
    return {"type": "snapshot", "number": 1, "at": _AT, "state": batch_state(batch)}


def _lost() -> dict[str, Any]:
    told = "The connection to the application was lost (CommClosedError). Nothing is lost: connect again."
    return {"type": "lost", "number": 1, "at": _AT + 5, "sentence": told, "again_seconds": 1.0}


def _pulse(unanswered: float) -> dict[str, Any]:
    return {"type": "pulse", "number": 1, "at": _AT + 5, "unanswered_seconds": unanswered}


def _batch(**parts: Any) -> dict[str, Any]:
    running = {"state": "running", "inserted_at": _BEGAN, "finished_at": None}
    return {"batch_id": "b", "running": [], "failures": []} | running | parts


def _busy() -> dict[str, Any]:
    return _batch(
        percent=46,
        inputs={"total": 40, "done": 17, "failed": 1, "under_way": 22},
        steps={
            "separate": _counts(done=9, reused=8, failed=1, running=2, waiting=20),
            "analyze": _counts(done=30, reused=8, failed=0, running=2, waiting=0),
            "analyze_stems": _counts(done=9, reused=5, failed=0, running=1, waiting=25),
        },
        running=[
            _job(
                "a", "/home/me/Music/demos/Late Bloomer (rough mix).flac", "separate", 62, "Segment 31 of 50"
            ),
            _job("b", "/home/me/Music/demos/Ångström.mp3", "separate", 8, "Loading htdemucs", attempt=2),
            _job("c", "/home/me/Music/demos/Kite.wav", "analyze", 80, "Listening"),
            _job("d", f"/home/me/Music/{EVIL}.wav", "analyze", 4, "Opening the file"),
        ],
        failures=_faults()[:1],
    )


def _finished(done: int, faults: list[dict[str, Any]]) -> dict[str, Any]:
    failed = len(faults)
    return _batch(
        state="finished",
        finished_at=_ENDED,
        percent=100,
        inputs={"total": done + failed, "done": done, "failed": failed, "under_way": 0},
        steps={"analyze": _counts(done=done, failed=sum(fault["step"] is not None for fault in faults))},
        failures=faults,
    )


def _empty() -> dict[str, Any]:
    inputs = {"total": 0, "done": 0, "failed": 0, "under_way": 0}
    return _finished(0, []) | {"inputs": inputs, "steps": {}}


def _waiting() -> dict[str, Any]:
    inputs = {"total": 3, "done": 0, "failed": 0, "under_way": 3}
    return _batch(percent=0, inputs=inputs, steps={"separate": _counts(waiting=3)})


def _huge() -> dict[str, Any]:
    return _batch(
        percent=99,
        inputs={"total": 10_000, "done": 9_948, "failed": 1, "under_way": 51},
        steps={"separate": _counts(done=9_900, reused=48, failed=1, running=51)},
        running=[_job(str(n), f"/songs/{n:05}.flac", "separate", n % 100, "Separating") for n in range(51)],
        failures=_faults()[:1],
    )


def _counts(**counts: int) -> dict[str, int]:
    return dict.fromkeys(("done", "reused", "failed", "running", "waiting"), 0) | counts


def _job(job_id: str, name: str, step: str, progress: int, message: str, attempt: int = 1) -> dict[str, Any]:
    row = {"job_id": job_id, "name": name, "step": step, "progress": progress}
    return row | {"message": message, "attempt": attempt}


def _faults() -> list[dict[str, Any]]:
    long = "/home/me/Music/" + "a very long folder name without end/" * 3 + "take7.flac"
    return [
        {
            "name": long,
            "step": "separate",
            "error": f"{long} ends in the middle of a frame: it is cut short. Copy it again.",
        },
        {
            "name": f"/home/me/Music/{EVIL}.wav",
            "step": None,
            "error": f"{EVIL}.wav is not audio: its content does not begin as an audio file's does. "
            "Check what it is; a wrong suffix does not make it audio.",
        },
        {
            "name": "spotify:track:4uLU6hMCjMI75M1A2tKUQC",
            "step": "analyze",
            "error": "the batch was cancelled",
        },
    ]
