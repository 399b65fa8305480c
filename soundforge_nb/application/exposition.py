"""The metrics in Prometheus' format: every one of the table, and how children and queues stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

import soundforge_nb
from soundforge_nb.application.application import Application
from soundforge_nb.application.metric_table import METRICS
from soundforge_nb.lifecycle import history

CONTENT_TYPE = CONTENT_TYPE_LATEST
_PREFIX = "soundforge"
_NOT_ALLOWED = re.compile(r"[^a-zA-Z0-9_]")


def exposition(application: Application) -> bytes:
    """What a Prometheus server scrapes."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Standing(application))
    registry.register(_Measured(application.metrics.summary()))
    return generate_latest(registry)


def metric_name(metric: history.Metric) -> str:
    """How Prometheus knows a metric; units stand in the name.

    >>> from soundforge_nb.application.metric_table import METRICS
    >>> metric_name(METRICS[0])
    'soundforge_rpc_stop_duration_seconds'
    """
    measured = "" if metric.kind == "counter" else f"_{metric.measurement}"
    return _NOT_ALLOWED.sub("_", f"{_PREFIX}_{metric.event}{measured}")


class _Measured(Collector):
    """What telemetry counted and timed since it was started."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self._rows = rows

    def collect(self) -> Iterator[Metric]:
        for metric in METRICS:
            rows = [row for row in self._rows if row["metric"] == f"{metric.event}.{metric.measurement}"]
            yield _family(metric, rows)


def _family(metric: history.Metric, rows: list[dict[str, Any]]) -> Metric:
    name, text = metric_name(metric), f"{metric.name} ({metric.group})"
    labelled = [([row["tags"].get(tag, "") for tag in metric.tags], row) for row in rows]
    if metric.kind == "counter":
        counter = CounterMetricFamily(name, text, labels=metric.tags)
        for labels, row in labelled:
            counter.add_metric(labels, row["sum"] if metric.measurement == "count" else row["count"])
        return counter
    if metric.kind == "summary":
        summary = SummaryMetricFamily(name, text, labels=metric.tags)
        for labels, row in labelled:
            summary.add_metric(labels, count_value=row["count"], sum_value=row["sum"])
        return summary
    gauge = GaugeMetricFamily(name, text, labels=metric.tags)
    for labels, row in labelled:
        gauge.add_metric(labels, row["last"])
    return gauge


class _Standing(Collector):
    """How things stand now, with no look into the store: a scrape costs the jobs nothing."""

    def __init__(self, application: Application) -> None:
        self._application = application

    def collect(self) -> Iterator[Metric]:
        info = GaugeMetricFamily(f"{_PREFIX}_info", "The version that runs", labels=["version"])
        info.add_metric([soundforge_nb.__version__], 1)
        yield info
        yield from self._children()
        yield from self._queues()
        nodes = GaugeMetricFamily(f"{_PREFIX}_dask_workers", "Dask workers that offer slots")
        nodes.add_metric([], len(self._application.ledger.nodes))
        yield nodes

    def _children(self) -> Iterator[Metric]:
        up = GaugeMetricFamily(f"{_PREFIX}_child_up", "1 where the child runs", labels=["child"])
        restarts = CounterMetricFamily(
            f"{_PREFIX}_child_restarts", "How often the child was restarted", labels=["child"]
        )
        for child in self._application.supervisor.which_children():
            up.add_metric([child["name"]], child["state"] == "running")
            restarts.add_metric([child["name"]], child["restarts"])
        yield from (up, restarts)

    def _queues(self) -> Iterator[Metric]:
        ledger = self._application.ledger
        told = {
            "running": (ledger.running, "Jobs of the queue that run"),
            "limit": (ledger.limits.__getitem__, "Jobs of the queue at once on one Dask worker"),
            "paused": (ledger.paused.__getitem__, "1 while the queue starts nothing new"),
        }
        for name, (value, text) in told.items():
            gauge = GaugeMetricFamily(f"{_PREFIX}_queue_{name}", text, labels=["queue"])
            for queue in ledger.limits:
                gauge.add_metric([queue], value(queue))
            yield gauge
