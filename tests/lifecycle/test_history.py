"""Curves: one point an interval, for a bounded time, whatever becomes of who fills them."""

from __future__ import annotations

import pytest

from soundforge_nb.lifecycle.history import KEPT_POINTS, History, Metric
from soundforge_nb.lifecycle.rates import STEP_SECONDS, STEPS, Rates
from soundforge_nb.lifecycle.telemetry import Telemetry

QUERY = Metric("query", "store.query", "seconds", "summary", "ms", "Store", factor=1e3)
STARTS = Metric("starts", "job.start", "count", "counter", "", "Jobs", ("queue",))
MEMORY = Metric("memory", "vm.memory", "bytes", "last_value", "MB", "VM", factor=1e-6)


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry()


@pytest.fixture
def history(telemetry: Telemetry) -> History:
    history = History([QUERY, STARTS, MEMORY])
    history.attach(telemetry)
    return history


def points(history: History, metric: Metric, since: float = 0.0) -> dict[str, list[list[float]]]:
    (told,) = [row for row in history.curves(since)["metrics"] if row["name"] == metric.name]
    return {",".join(curve["tags"].values()): curve["points"] for curve in told["curves"]}


def test_an_interval_is_summed_up_by_the_metrics_kind(telemetry: Telemetry, history: History) -> None:
    for milliseconds in range(1, 101):
        telemetry.execute("store.query", {"seconds": milliseconds / 1e3})
    telemetry.execute("job.start", {"count": 1}, {"queue": "analysis"})
    telemetry.execute("job.start", {"count": 1}, {"queue": "analysis"})
    telemetry.execute("job.start", {"count": 1}, {"queue": "download"})
    telemetry.execute("vm.memory", {"bytes": 1e6})
    telemetry.execute("vm.memory", {"bytes": 5e6})
    history.tick(10.0)
    assert points(history, QUERY) == {"": [[10.0, 50.0, 95.0, 100.0]]}
    assert points(history, STARTS) == {"analysis": [[10.0, 2.0]], "download": [[10.0, 1.0]]}
    assert points(history, MEMORY) == {"": [[10.0, 5.0]]}


def test_a_quiet_interval_counts_nothing_and_measures_nothing(telemetry: Telemetry, history: History) -> None:
    telemetry.execute("store.query", {"seconds": 0.001})
    telemetry.execute("job.start", {"count": 1}, {"queue": "analysis"})
    history.tick(10.0)
    history.tick(20.0)
    assert [point[0] for point in points(history, QUERY)[""]] == [10.0]
    assert points(history, STARTS)["analysis"] == [[10.0, 1.0], [20.0, 0.0]]


def test_who_saw_the_past_is_told_what_is_new(telemetry: Telemetry, history: History) -> None:
    telemetry.execute("job.start", {"count": 1}, {"queue": "analysis"})
    for at in (10.0, 20.0, 30.0):
        history.tick(at)
    assert points(history, STARTS, since=20.0)["analysis"] == [[30.0, 0.0]]
    assert history.curves()["at"] == 30.0


def test_an_hour_is_kept_and_no_more(telemetry: Telemetry, history: History) -> None:
    telemetry.execute("job.start", {"count": 1}, {"queue": "analysis"})
    for tick in range(KEPT_POINTS + 5):
        history.tick(float(tick))
    kept = points(history, STARTS)["analysis"]
    assert (len(kept), kept[0][0]) == (KEPT_POINTS, 5.0)


def test_telemetry_that_is_restarted_goes_on_with_the_same_curves(
    telemetry: Telemetry, history: History
) -> None:
    telemetry.execute("job.start", {"count": 1}, {"queue": "analysis"})
    history.tick(10.0)
    history.attach(telemetry)
    telemetry.execute("job.start", {"count": 1}, {"queue": "analysis"})
    history.tick(20.0)
    assert points(history, STARTS)["analysis"] == [[10.0, 1.0], [20.0, 1.0]]


def test_rates_move_with_time(telemetry: Telemetry) -> None:
    now = [0.0]
    rates = Rates(telemetry, ("job.stop",), "queue", lambda: now[0])
    telemetry.execute("job.stop", {}, {"queue": "analysis"})
    now[0] += STEP_SECONDS
    telemetry.execute("job.stop", {}, {"queue": "analysis"})
    telemetry.execute("job.stop", {}, {"queue": "analysis"})
    assert rates.of("analysis")[-3:] == [0, 1, 2]
    assert rates.of("download") == [0] * STEPS
    now[0] += STEP_SECONDS * STEPS
    assert sum(rates.of("analysis")) == 0


def test_rates_do_not_grow(telemetry: Telemetry) -> None:
    now = [0.0]
    rates = Rates(telemetry, ("job.stop",), "queue", lambda: now[0])
    for _ in range(10 * STEPS):
        telemetry.execute("job.stop", {}, {"queue": "analysis"})
        now[0] += STEP_SECONDS
    assert len(rates._counts["analysis"]) <= 2 * STEPS + 1
