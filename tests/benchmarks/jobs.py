"""Durable jobs that do nothing, beside plain Dask tasks that do nothing: rate, CPU, and time to the start.

A job here is a row, a claim, a lease, a counted attempt and an acknowledgement, each committed; a plain Dask
task is none of it, and is lost with its scheduler. So the ratio is the price of durability.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from typing import Any

import psutil

from tests.benchmarks import scripts
from tests.benchmarks.table import Measurement

JOBS, SINGLE, BULK = 5000, 200, 50_000
#: Nearly as many as a Dask worker has threads; beside it the default.
MANY_SLOTS, DEFAULT_SLOTS = 31, 2
_KINDS = ", ".join(f"tests.benchmarks.noop:{name}" for name in ("Noop", "ChunkedNoop", "Elsewhere", "Spin"))
_BEGAN = (
    "SELECT job_id::VARCHAR AS job_id, (result->>'began')::DOUBLE AS began FROM jobs WHERE result IS NOT NULL"
)


@dataclass(frozen=True)
class Run:
    rate: float
    cpu_seconds: float


def measure(folder: Path) -> list[Measurement]:
    dask, dask_starts = _dask()
    submit = f"Dask: submit, {MANY_SLOTS} in flight"
    found = []
    with connected(folder / "many", MANY_SLOTS) as (forge, application):
        many, chunks = run_jobs(forge, application, "noop"), run_jobs(forge, application, "chunked_noop")
        inserts = insert_rate(forge)
    with connected(folder / "default", DEFAULT_SLOTS) as (forge, application):
        few = run_jobs(forge, application, "noop", JOBS // 5)
        starts = single_starts(forge, "noop")
        quiet = single_starts(forge, "elsewhere")
        (spinning,) = forge.insert("spin", [{}])
        beside = single_starts(forge, "elsewhere")
        forge.cancel(spinning)
    for name, run in ((f"{MANY_SLOTS} slots", many), ("in chunks", chunks), ("2 slots (default)", few)):
        found += [
            Measurement(f"durable no-op jobs, {name}", run.rate, "1/s", submit, dask.rate),
            Measurement(
                f"CPU a no-op job, {name}", 1e3 * run.cpu_seconds, "ms", submit, 1e3 * dask.cpu_seconds
            ),
        ]
    found.append(Measurement(f"insert of {BULK:,} jobs", inserts, "1/s", submit, dask.rate))
    for percent in (50, 99):
        at, dask_at = percentile_ms(starts, percent), percentile_ms(dask_starts, percent)
        found.append(Measurement(f"from insert() to the start, p{percent}", at, "ms", submit, dask_at))
        found.append(
            Measurement(
                f"the same while another queue computes, p{percent}",
                percentile_ms(beside, percent),
                "ms",
                "while none does",
                percentile_ms(quiet, percent),
            )
        )
    return found


def percentile_ms(seconds: list[float], percent: int) -> float:
    return 1e3 * quantiles(seconds, n=100)[percent - 1]


@contextmanager
def connected(folder: Path, slots: int) -> Iterator[tuple[Any, psutil.Process]]:
    import soundforge_nb as sf
    from soundforge_nb.cluster.discovery import read_whereabouts

    limits = {"analysis_limit": slots, "download_limit": 1, "processing_limit": 0}
    forge = sf.connect(data_folder=folder, kinds=_KINDS, **limits)
    with forge:
        whereabouts = read_whereabouts(forge.config.scheduler_file)
        assert whereabouts is not None
        application = psutil.Process(whereabouts.pid)
        forge.wait(forge.insert("noop", [{}] * 50))
        yield forge, application
        forge.call("stop")
    application.wait(30)


def run_jobs(forge: Any, application: psutil.Process, kind: str, jobs: int = JOBS) -> Run:
    """Jobs a second from their insertion to the last commit, and CPU seconds a job of all processes."""
    cpu_before, begun = scripts.cpu_seconds(application), time.time()
    ids = forge.insert(kind, [{}] * jobs)
    assert forge.wait(ids, 600), "the jobs did not end"
    cpu = (scripts.cpu_seconds(application) - cpu_before) / jobs
    (row,) = forge.sql(
        "SELECT epoch(max(completed_at)) AS ended, count(*) AS jobs FROM jobs"
        f" WHERE state = 'completed' AND kind = '{kind}' AND inserted_at >= to_timestamp({begun})"
    ).dicts()
    assert row["jobs"] == jobs
    return Run(jobs / (row["ended"] - begun), cpu)


def insert_rate(forge: Any) -> float:
    """Jobs made durable a second, in calls of ten thousand; they wait for a day that does not come."""
    begun = time.time()
    forge.insert("noop", [{}] * BULK, scheduled_in_seconds=86_400)
    return BULK / (time.time() - begun)


def single_starts(forge: Any, kind: str) -> list[float]:
    """Seconds from insert() to the start of each of many single jobs."""
    inserted = {}
    for _ in range(SINGLE):
        begun = time.time()
        (job_id,) = forge.insert(kind, [{}])
        inserted[job_id] = begun
        forge.wait([job_id])
    began = {row["job_id"]: row["began"] for row in forge.sql(_BEGAN).dicts()}
    return [began[job_id] - begun for job_id, begun in inserted.items()]


def _dask() -> tuple[Run, list[float]]:
    """Plain tasks, never more of them in flight than there are slots."""
    import distributed

    from tests.benchmarks.noop import began

    with scripts.start("raw_cluster", MANY_SLOTS) as process:
        assert process.stdout is not None and process.stdin is not None
        cluster = psutil.Process(process.pid)
        with distributed.Client(json.loads(process.stdout.readline())) as client:
            client.gather([client.submit(began, pure=False) for _ in range(50)])
            cpu_before, begun = scripts.cpu_seconds(cluster), time.time()
            flying = distributed.as_completed([client.submit(began, pure=False) for _ in range(MANY_SLOTS)])
            left = JOBS - MANY_SLOTS
            for future in flying:
                future.result()
                if left:
                    left -= 1
                    flying.add(client.submit(began, pure=False))
            seconds = time.time() - begun
            cpu = (scripts.cpu_seconds(cluster) - cpu_before) / JOBS
            starts = []
            for _ in range(SINGLE):
                begun = time.time()
                starts.append(client.submit(began, pure=False).result() - begun)
        process.stdin.close()
    return Run(JOBS / seconds, cpu), starts
