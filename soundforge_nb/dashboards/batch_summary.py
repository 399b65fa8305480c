"""A batch in words and in HTML that stand alone: for papermill, nbconvert, terminals, reopened notebooks."""

from __future__ import annotations

import html
import time
from typing import Any, TextIO

#: A line of progress is printed at most this often, unless a stage was reached.
LINE_SECONDS = 3.0
_SHOWN_FAILURES = 20
_STEP_NAMES = {"separate": "separate", "analyze": "analyze", "analyze_stems": "analyze stems"}


def as_text(snapshot: dict[str, Any]) -> str:
    """A few lines: the state, each step, what runs, what failed."""
    lines = [_headline(snapshot)]
    for step, counts in snapshot["steps"].items():
        told = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
        lines.append(f"  {_STEP_NAMES.get(step, step)}: {told}")
    lines += [f"  {_running(entry)}" for entry in snapshot["running"][:8]]
    failures = snapshot["failures"]
    lines += [f"  failed: {_one_line(entry['error'])}" for entry in failures[:_SHOWN_FAILURES]]
    if len(failures) > _SHOWN_FAILURES:
        lines.append(f"  … and {len(failures) - _SHOWN_FAILURES} more failures, see batch.errors()")
    return "\n".join(lines)


def as_html(snapshot: dict[str, Any]) -> str:
    """The same as a small table with bars; needs no script and no style sheet."""
    rows = "".join(
        f"<tr><td>{html.escape(_STEP_NAMES.get(step, step))}</td><td>{_bar(counts)}</td>"
        + "".join(f"<td style='text-align:right'>{counts[status]}</td>" for status in _STATUSES)
        + "</tr>"
        for step, counts in snapshot["steps"].items()
    )
    heads = "".join(f"<th style='text-align:right'>{status}</th>" for status in _STATUSES)
    table = f"<table><thead><tr><th>step</th><th></th>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    running = "".join(f"<li>{html.escape(_running(entry))}</li>" for entry in snapshot["running"][:8])
    failures = "".join(
        f"<li>{html.escape(_one_line(entry['error']))}</li>"
        for entry in snapshot["failures"][:_SHOWN_FAILURES]
    )
    more = len(snapshot["failures"]) - _SHOWN_FAILURES
    return (
        f"<div><p><b>{html.escape(_headline(snapshot))}</b></p>{table if rows else ''}"
        + (f"<p>Running:</p><ul>{running}</ul>" if running else "")
        + (f"<p>Failed:</p><ul>{failures}</ul>" if failures else "")
        + (f"<p>… and {more} more, see <code>batch.errors()</code></p>" if more > 0 else "")
        + "</div>"
    )


class ProgressPrinter:
    """Prints a line whenever a step of an input ends, or every few seconds."""

    def __init__(self, stream: TextIO, monotonic: Any = time.monotonic) -> None:
        self._stream = stream
        self._monotonic = monotonic
        self._printed_at = float("-inf")
        self._stage: tuple[Any, ...] = ()
        self._line = ""

    def show(self, snapshot: dict[str, Any]) -> None:
        """Print what is new in a snapshot, if it is time."""
        inputs = snapshot["inputs"]
        stage = (inputs["done"], inputs["failed"], snapshot["state"])
        now = self._monotonic()
        line = self._compose(snapshot)
        if line == self._line or (stage == self._stage and now - self._printed_at < LINE_SECONDS):
            return
        self._stage, self._printed_at, self._line = stage, now, line
        print(line, file=self._stream, flush=True)

    @staticmethod
    def _compose(snapshot: dict[str, Any]) -> str:
        running = "; ".join(_running(entry) for entry in snapshot["running"][:3])
        headline = _headline(snapshot)
        return f"{headline} · {running}" if running else headline


_STATUSES = ("done", "reused", "running", "waiting", "failed")
_COLOURS = {"done": "#2e7d32", "reused": "#80a37d", "running": "#1e6fd9", "failed": "#c62828"}


def _headline(snapshot: dict[str, Any]) -> str:
    inputs = snapshot["inputs"]
    total = inputs["total"]
    words = [f"{inputs['done']} of {total} track{'' if total == 1 else 's'} done"]
    if inputs["failed"]:
        words.append(f"{inputs['failed']} failed")
    if snapshot["state"] != "finished":
        words.append(f"{inputs['under_way']} under way")
        return f"{snapshot['percent']:3d} % · {', '.join(words)}"
    return f"Finished: {', '.join(words)}"


def _running(entry: dict[str, Any]) -> str:
    name = _one_line(entry["name"]).rsplit("/", 1)[-1]
    step = _STEP_NAMES.get(entry["step"], entry["step"])
    message = f" ({_one_line(entry['message'])})" if entry["message"] else ""
    return f"{step} {name}: {entry['progress'] or 0} %{message}"


def _one_line(text: str) -> str:
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text
    )


def _bar(counts: dict[str, int]) -> str:
    total = sum(counts.values()) or 1
    parts = "".join(
        f"<span style='display:inline-block;height:8px;width:{120 * counts[status] // total}px;"
        f"background:{colour}'></span>"
        for status, colour in _COLOURS.items()
        if counts[status]
    )
    return f"<span style='display:inline-block;width:120px;background:#8884'>{parts}</span>"
