"""Metrics: counts of all, summaries of the last values, told apart by tags."""

from __future__ import annotations

import threading

from soundforge_nb.lifecycle.metrics import KEPT_VALUES, Metrics
from soundforge_nb.lifecycle.telemetry import Telemetry


def test_values_are_summed_up_by_tag() -> None:
    telemetry = Telemetry()
    metrics = Metrics(telemetry, {"job.stop": ("queue",)})
    for seconds in range(1, 101):
        telemetry.execute(
            "job.stop", {"duration_seconds": float(seconds)}, {"queue": "analysis", "kind": "x"}
        )
    telemetry.execute("job.stop", {"duration_seconds": 7.0}, {"queue": "processing"})
    telemetry.execute("job.start", {"count": 1})
    analysis, processing = metrics.summary()
    assert analysis == {
        "metric": "job.stop.duration_seconds",
        "tags": {"queue": "analysis"},
        "count": 100,
        "sum": 5050.0,
        "median": 50.5,
        "p95": 95.0,
        "last": 100.0,
    }
    assert (processing["tags"], processing["count"]) == ({"queue": "processing"}, 1)


def test_only_the_last_values_are_kept_but_all_are_counted() -> None:
    telemetry = Telemetry()
    metrics = Metrics(telemetry, {"e": ()})
    for value in range(KEPT_VALUES + 10):
        telemetry.execute("e", {"value": value})
    (row,) = metrics.summary()
    assert row["count"] == KEPT_VALUES + 10
    assert row["median"] == 10 + (KEPT_VALUES - 1) / 2


def test_a_second_one_takes_over() -> None:
    telemetry = Telemetry()
    Metrics(telemetry, {"e": ()})
    second = Metrics(telemetry, {"e": ()})
    telemetry.execute("e", {"value": 1})
    assert telemetry.attached() == ["metrics"]
    assert second.summary()[0]["count"] == 1


def test_threads_lose_no_count() -> None:
    telemetry = Telemetry()
    metrics = Metrics(telemetry, {"e": ()})

    def count() -> None:
        for _ in range(300):
            telemetry.execute("e", {"value": 1})
            metrics.summary()

    threads = [threading.Thread(target=count) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert telemetry.attached() == ["metrics"]
    assert metrics.summary()[0]["count"] == 600
