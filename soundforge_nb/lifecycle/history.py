"""What was measured, as curves: each metric summed up over each interval between two polls, for an hour.

`Metrics` tells how things stand; this tells how they came to it, so that who looks late sees the past.
"""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from soundforge_nb.lifecycle.telemetry import Telemetry

#: An hour at ten seconds.
KEPT_POINTS = 360
#: How many values of one interval a percentile is made of; the count and the sum are of all.
_SAMPLED = 2048

MetricKind = Literal["summary", "counter", "last_value"]


@dataclass(frozen=True)
class Metric:
    """One thing that is measured.

    Attributes
    ----------
    name : str
        As a person reads it: ``store.query.total``.
    event, measurement : str
        Where it comes from: what `Telemetry.execute` was given.
    kind : {"summary", "counter", "last_value"}
        How an interval is summed up: median and 95th percentile, how many, or what came last.
    unit : str
        Of what is drawn; `factor` turns a measurement into it.
    tags : tuple of str
        What of the metadata it is told apart by.
    group : str
    factor : float
    """

    name: str
    event: str
    measurement: str
    kind: MetricKind
    unit: str
    group: str
    tags: tuple[str, ...] = ()
    factor: float = 1.0


@dataclass
class _Series:
    points: deque[tuple[float, ...]] = field(default_factory=lambda: deque(maxlen=KEPT_POINTS))
    values: list[float] = field(default_factory=list)
    count: int = 0
    last: float = 0.0


class History:
    """Listens to events, and at each `tick` adds a point to every curve.

    A curve without a value in an interval gets a point of zero (a counter) or none (the rest): no query is
    no slow query.
    """

    def __init__(self, metrics: Sequence[Metric]) -> None:
        self._metrics = tuple(metrics)
        self._by_event: defaultdict[str, list[tuple[int, Metric]]] = defaultdict(list)
        for place, metric in enumerate(metrics):
            self._by_event[metric.event].append((place, metric))
        #: By the metric's place and its tags: events come in their thousands, and a metric's hash costs.
        self._series: dict[tuple[int, tuple[str, ...]], _Series] = {}
        # Events come from the store's threads and from the event loop.
        self._lock = threading.Lock()
        self.ticked_at = 0.0

    def attach(self, telemetry: Telemetry) -> None:
        """Listen from now on; what was kept before stays."""
        telemetry.detach("history")
        telemetry.attach("history", self._by_event, self._note)

    def _note(self, event: str, measurements: Mapping[str, float], metadata: Mapping[str, Any]) -> None:
        with self._lock:
            for place, metric in self._by_event[event]:
                value = measurements.get(metric.measurement)
                if value is None:
                    continue
                tags = tuple(str(metadata.get(name, "")) for name in metric.tags)
                series = self._series.get((place, tags))
                if series is None:
                    series = self._series[place, tags] = _Series()
                # One event may tell of many.
                series.count += int(value) if metric.measurement == "count" else 1
                series.last = value * metric.factor
                if metric.kind == "summary" and len(series.values) < _SAMPLED:
                    series.values.append(series.last)

    def tick(self, now: float) -> None:
        """End an interval at `now` (seconds since 1970)."""
        with self._lock:
            self.ticked_at = now
            for (place, _), series in self._series.items():
                point = _point(self._metrics[place], series)
                if point is not None:
                    series.points.append((round(now, 3), *point))
                series.values, series.count = [], 0

    def curves(self, since: float = 0.0) -> dict[str, Any]:
        """Every metric with its curves, of points later than `since`.

        Returns
        -------
        dict
            ``at``: the time of the last point. ``metrics``: each with its name, kind, unit, group and
            ``curves``, each of which has ``tags`` and ``points``. A point is ``[time, value]``; of a
            summary ``[time, median, 95th percentile, count]``.
        """
        with self._lock:
            return {
                "at": self.ticked_at,
                "metrics": [self._told(place, since) for place in range(len(self._metrics))],
            }

    def _told(self, place: int, since: float) -> dict[str, Any]:
        metric = self._metrics[place]
        return {
            "name": metric.name,
            "kind": metric.kind,
            "unit": metric.unit,
            "group": metric.group,
            "curves": [
                {
                    "tags": dict(zip(metric.tags, tags, strict=True)),
                    "points": [list(point) for point in series.points if point[0] > since],
                }
                for (of, tags), series in sorted(self._series.items(), key=lambda item: item[0][1])
                if of == place
            ],
        }


def _point(metric: Metric, series: _Series) -> tuple[float, ...] | None:
    if metric.kind == "counter":
        return (float(series.count),)
    if not series.count:
        return None
    if metric.kind == "last_value":
        return (_short(series.last),)
    values = sorted(series.values)
    middle, high = values[(len(values) - 1) // 2], values[int(0.95 * (len(values) - 1))]
    return (_short(middle), _short(high), float(series.count))


def _short(value: float) -> float:
    """Six figures are more than a curve can show."""
    return float(f"{value:.6g}")
