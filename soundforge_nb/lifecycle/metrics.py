"""What telemetry measured, summed up: counts, and summaries of the last values of each metric."""

from __future__ import annotations

import statistics
import threading
from collections import defaultdict, deque
from collections.abc import Mapping
from typing import Any

from soundforge_nb.lifecycle.telemetry import Telemetry

#: How many of the last values a summary is made of.
KEPT_VALUES = 1024


class Metrics:
    """Attaches to events and keeps, for each measurement, its count, sum and last values."""

    def __init__(self, telemetry: Telemetry, events: Mapping[str, tuple[str, ...]]) -> None:
        """`events` maps each event to the metadata keys its metrics are told apart by."""
        self._tags = dict(events)
        self._count: defaultdict[tuple[str, ...], int] = defaultdict(int)
        self._sum: defaultdict[tuple[str, ...], float] = defaultdict(float)
        self._values: dict[tuple[str, ...], deque[float]] = {}
        # Events come from the store's threads and from the event loop.
        self._lock = threading.Lock()
        telemetry.detach("metrics")
        telemetry.attach("metrics", events, self._note)

    def _note(self, event: str, measurements: Mapping[str, float], metadata: Mapping[str, Any]) -> None:
        tags = tuple(str(metadata.get(name, "")) for name in self._tags[event])
        with self._lock:
            for name, value in measurements.items():
                key = (f"{event}.{name}", *tags)
                self._count[key] += 1
                self._sum[key] += value
                values = self._values.get(key)
                if values is None:
                    values = self._values[key] = deque(maxlen=KEPT_VALUES)
                values.append(value)

    def summary(self) -> list[dict[str, Any]]:
        """Each metric with its tags, count, sum, and median, 95th percentile and last of what is kept."""
        rows = []
        with self._lock:
            taken = [
                (key, list(kept), self._count[key], self._sum[key]) for key, kept in self._values.items()
            ]
        for key, kept, count, total in taken:
            values = sorted(kept)
            event = key[0].rpartition(".")[0]
            rows.append(
                {
                    "metric": key[0],
                    "tags": dict(zip(self._tags[event], key[1:], strict=True)),
                    "count": count,
                    "sum": total,
                    "median": statistics.median(values),
                    "p95": values[int(0.95 * (len(values) - 1))],
                    "last": kept[-1],
                }
            )
        return sorted(rows, key=lambda row: (row["metric"], str(row["tags"])))
