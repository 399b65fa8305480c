"""What Prometheus is told: every metric of the table, in its format."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from soundforge_nb.application.application import Application
from soundforge_nb.application.exposition import exposition, metric_name
from soundforge_nb.application.metric_table import METRICS
from soundforge_nb.application.services import run_queue

DOCUMENT = Path(__file__).parents[2] / "docs" / "lifecycle.md"


@pytest.fixture
def scraped(started: Callable[..., Any]) -> Callable[..., dict[tuple[str, tuple[str, ...]], float]]:
    """Samples by name and labels (by their names' order), of an application to which something was done."""

    def scrape(act: Callable[[Application], object]) -> dict[tuple[str, tuple[str, ...]], float]:
        async def live() -> str:
            application = await started()
            try:
                act(application)
                await asyncio.sleep(0)
                return exposition(application).decode()
            finally:
                await application.stop()

        return {
            (sample.name, tuple(sample.labels.values())): sample.value
            for family in text_string_to_metric_families(asyncio.run(live()))
            for sample in family.samples
        }

    return scrape


def test_what_was_counted_and_timed_is_there(scraped: Callable[..., dict[object, float]]) -> None:
    def act(application: Application) -> None:
        facts = {"queue": "analysis", "kind": "analyze_track"}
        for seconds in (1.5, 2.5):
            application.telemetry.execute("job.stop", {"duration_seconds": seconds}, facts)
        application.telemetry.execute("port.exception", {"duration_seconds": 1.0}, {"program": "separate"})
        application.ledger.paused["download"] = True

    samples = scraped(act)
    assert samples["soundforge_job_stop_duration_seconds_count", ("analyze_track", "analysis")] == 2
    assert samples["soundforge_job_stop_duration_seconds_sum", ("analyze_track", "analysis")] == 4.0
    assert samples["soundforge_port_exception_total", ("separate",)] == 1
    assert samples["soundforge_queue_paused", ("download",)] == 1
    assert samples["soundforge_queue_limit", ("analysis",)] == 2
    assert samples["soundforge_child_up", ("store",)] == 1
    assert samples["soundforge_vm_memory_total_bytes", ()] > 1e6
    assert samples["soundforge_store_query_total_seconds_count", ()] > 0


def test_names_are_prometheus_own_and_told_apart() -> None:
    names = [metric_name(metric) for metric in METRICS]
    assert len(set(names)) == len(names)
    assert [name for name in names if not re.fullmatch(r"soundforge(_[a-z0-9]+)+", name)] == []


def test_metrics_of_one_event_are_told_apart_by_the_same_tags() -> None:
    tags: dict[str, tuple[str, ...]] = {}
    for metric in METRICS:
        assert tags.setdefault(metric.event, metric.tags) == metric.tags


def test_the_run_queue_is_read_where_the_system_tells_it(tmp_path: Path) -> None:
    stat = tmp_path / "stat"
    stat.write_text("cpu  1 2 3\nprocs_running 3\nprocs_blocked 1\n")
    assert run_queue(stat) == {"total": 4.0, "cpu": 3.0, "io": 1.0}
    assert set(run_queue(tmp_path / "missing")) == {"total"}


def test_the_document_names_every_metric() -> None:
    told = set(re.findall(r"`([a-z_.]+)`", DOCUMENT.read_text(encoding="utf-8")))
    assert [metric.name for metric in METRICS if metric.name not in told] == []
