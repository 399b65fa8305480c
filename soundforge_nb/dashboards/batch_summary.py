"""A batch in words and in HTML that stand alone: for papermill, nbconvert, terminals, reopened notebooks."""

from __future__ import annotations

import time
from typing import Any, TextIO

from soundforge_nb.dashboards import batch_words as words
from soundforge_nb.dashboards.batch_html import as_html

__all__ = ["LINE_SECONDS", "ProgressPrinter", "as_html", "as_text", "mimebundle"]

#: A line of progress is printed at most this often, unless a stage was reached.
LINE_SECONDS = 3.0


def as_text(snapshot: dict[str, Any]) -> str:
    """A few lines: the state, each step, what runs, what failed."""
    lines = [words.headline(snapshot)]
    for step, counts in snapshot["steps"].items():
        lines.append(f"  {words.step_name(step).lower()}: {words.told_counts(counts)}")
    running, failures = snapshot["running"], snapshot["failures"]
    lines += [f"  {words.told_running(entry)}" for entry in running[: words.SHOWN_RUNNING]]
    # A file that can't be read fails at each of its steps, in the same words.
    told = list(dict.fromkeys(words.one_line(entry["error"]) for entry in failures))
    lines += [f"  failed: {sentence}" for sentence in told[: words.SHOWN_FAILURES]]
    if len(told) > words.SHOWN_FAILURES:
        lines.append(f"  … and {len(told) - words.SHOWN_FAILURES} more failures, see batch.errors()")
    return "\n".join(lines)


def mimebundle(snapshot: dict[str, Any]) -> dict[str, str]:
    """What stands alone in a saved notebook: text and HTML, and no widget state."""
    return {"text/plain": as_text(snapshot), "text/html": as_html(snapshot)}


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
        running = "; ".join(words.told_running(entry) for entry in snapshot["running"][:3])
        headline = words.headline(snapshot)
        return f"{headline} · {running}" if running else headline
