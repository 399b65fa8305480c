"""How much happened lately: events counted by name, in steps of a few seconds."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from soundforge_nb.lifecycle.telemetry import Telemetry

STEP_SECONDS = 5.0
STEPS = 60


class Rates:
    """Counts some events by a tag of theirs.

    Parameters
    ----------
    telemetry : Telemetry
    events : tuple of str
    tag : str
        Which of the metadata tells them apart.
    monotonic : callable
    """

    def __init__(
        self, telemetry: Telemetry, events: tuple[str, ...], tag: str, monotonic: Callable[[], float]
    ) -> None:
        self._tag = tag
        self._monotonic = monotonic
        self._counts: defaultdict[str, defaultdict[int, int]] = defaultdict(lambda: defaultdict(int))
        self._lock = threading.Lock()
        telemetry.attach(f"rates of {tag}", events, self._note)

    def _note(self, event: str, measurements: Mapping[str, float], metadata: Mapping[str, Any]) -> None:
        step = self._step()
        with self._lock:
            counts = self._counts[str(metadata.get(self._tag, ""))]
            counts[step] += 1
            if len(counts) > 2 * STEPS:
                for old in [other for other in counts if other <= step - STEPS]:
                    del counts[old]

    def of(self, name: str) -> list[int]:
        """How many there were in each of the last `STEPS` steps, the current one last."""
        last = self._step()
        with self._lock:
            counts: Mapping[int, int] = self._counts.get(name, {})
            return [counts.get(step, 0) for step in range(last - STEPS + 1, last + 1)]

    def _step(self) -> int:
        return int(self._monotonic() // STEP_SECONDS)
