"""A batch in words: what its text, its HTML and its lines of progress say alike."""

from __future__ import annotations

from typing import Any

from soundforge_nb.dashboards.batch_state import STATUSES, STEP_NAMES, epoch_seconds

SHOWN_RUNNING = 8
SHOWN_FAILURES = 20


def headline(snapshot: dict[str, Any]) -> str:
    """How it stands, in one line."""
    if snapshot["state"] == "finished":
        return f"Finished: {told_inputs(snapshot)}"
    return f"{snapshot['percent']:3d} % · {told_inputs(snapshot)}"


def told_inputs(snapshot: dict[str, Any]) -> str:
    """What became of the inputs.

    >>> told_inputs({"inputs": {"total": 1, "done": 0, "failed": 0, "under_way": 1}, "state": "running"})
    '0 of 1 track done, 1 under way'
    """
    inputs = snapshot["inputs"]
    total = inputs["total"]
    words = [f"{inputs['done']} of {total} track{'' if total == 1 else 's'} done"]
    if inputs["failed"]:
        words.append(f"{inputs['failed']} failed")
    if snapshot["state"] != "finished":
        words.append(f"{inputs['under_way']} under way")
    return ", ".join(words)


def told_running(entry: dict[str, Any]) -> str:
    """One running job: its step, its track, how far it is and what it does."""
    message = f" ({one_line(entry['message'])})" if entry["message"] else ""
    return (
        f"{step_name(entry['step']).lower()} {short_name(entry['name'])}: {entry['progress'] or 0} %{message}"
    )


def told_counts(counts: dict[str, int]) -> str:
    """
    >>> told_counts({"done": 3, "reused": 0, "failed": 1, "running": 0, "waiting": 0})
    '3 done, 1 failed'
    """
    return ", ".join(f"{counts[status]} {status}" for status in STATUSES if counts.get(status)) or "nothing"


def step_name(step: str) -> str:
    return STEP_NAMES.get(step, step)


def short_name(name: str) -> str:
    """The last part of a path, in one line.

    >>> short_name("/songs/one.wav")
    'one.wav'
    """
    return one_line(name.rstrip("/").rsplit("/", 1)[-1] or name)


def one_line(text: str) -> str:
    """Text with nothing in it that moves the cursor."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text
    )


def elapsed(snapshot: dict[str, Any]) -> str:
    """How long a finished batch took; empty for one that is under way."""
    start, end = epoch_seconds(snapshot["inserted_at"]), epoch_seconds(snapshot["finished_at"])
    return "" if start is None or end is None else duration(end - start)


def duration(seconds: float) -> str:
    """
    >>> [duration(seconds) for seconds in (0.4, 12.3, 75, 3661)]
    ['0.4 s', '12 s', '1 min 15 s', '1 h 1 min']
    """
    if seconds < 10:
        return f"{max(seconds, 0):.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
