"""Durable jobs that do nothing, beside plain Dask tasks that do nothing: rate, CPU, and time to the start.

A job here is a row, a claim, a lease, a counted attempt and an acknowledgement, each committed; a plain Dask
task is none of it, and is lost with its scheduler. So the ratio is the price of durability.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from statistics import quantiles

import psutil

from tests.benchmarks import scripts
from tests.benchmarks.table import Measurement

JOBS, SINGLE = 1000, 200
#: As many as a Dask worker has threads; beside it the default.
MANY_SLOTS, DEFAULT_SLOTS = 32, 2
_RESULTS = "SELECT epoch(max(completed_at)) AS ended, count(*) AS jobs FROM jobs WHERE state = 'completed'"
_BEGAN = "SELECT job_id::VARCHAR AS job_id, (result->>'began')::DOUBLE AS began FROM jobs"


def measure(folder: Path) -> list[Measurement]:
    dask_rate, dask_cpu, dask_starts = _dask()
    rate, cpu, _ = _forge(folder / "many", MANY_SLOTS, latency=False)
    few_rate, few_cpu, starts = _forge(folder / "default", DEFAULT_SLOTS, latency=True)
    submit = "Dask: submit"
    return [
        Measurement(f"durable no-op jobs, {MANY_SLOTS} slots", rate, "1/s", submit, dask_rate),
        Measurement(
            f"durable no-op jobs, {DEFAULT_SLOTS} slots (default)", few_rate, "1/s", submit, dask_rate
        ),
        Measurement(f"CPU a no-op job, {MANY_SLOTS} slots", 1e3 * cpu, "ms", submit, 1e3 * dask_cpu),
        Measurement(f"CPU a no-op job, {DEFAULT_SLOTS} slots", 1e3 * few_cpu, "ms", submit, 1e3 * dask_cpu),
        Measurement("from insert() to the start, p50", _at(starts, 50), "ms", submit, _at(dask_starts, 50)),
        Measurement("from insert() to the start, p99", _at(starts, 99), "ms", submit, _at(dask_starts, 99)),
    ]


def _at(seconds: list[float], percent: int) -> float:
    return 1e3 * quantiles(seconds, n=100)[percent - 1]


def _forge(folder: Path, slots: int, *, latency: bool) -> tuple[float, float, list[float]]:
    """Jobs a second, CPU seconds a job, and seconds to the start of each single job."""
    import soundforge_nb as sf
    from soundforge_nb.cluster.discovery import read_whereabouts

    limits = {"analysis_limit": slots, "download_limit": 0, "processing_limit": 0}
    forge = sf.connect(data_folder=folder, kinds="tests.benchmarks.noop:Noop", **limits)
    with forge:
        whereabouts = read_whereabouts(forge.config.scheduler_file)
        assert whereabouts is not None
        application = psutil.Process(whereabouts.pid)
        forge.wait(forge.insert("noop", [{}] * 50))
        cpu_before, begun = scripts.cpu_seconds(application), time.time()
        ids = forge.insert("noop", [{}] * JOBS)
        assert forge.wait(ids, 600), "the jobs did not end"
        cpu = (scripts.cpu_seconds(application) - cpu_before) / JOBS
        (row,) = forge.sql(_RESULTS).dicts()
        assert row["jobs"] == JOBS + 50
        starts = _single_starts(forge) if latency else []
        forge.call("stop")
    application.wait(30)
    return JOBS / (row["ended"] - begun), cpu, starts


def _single_starts(forge: object) -> list[float]:
    inserted = {}
    for _ in range(SINGLE):
        begun = time.time()
        (job_id,) = forge.insert("noop", [{}])  # type: ignore[attr-defined]
        inserted[job_id] = begun
        forge.wait([job_id])  # type: ignore[attr-defined]
    began = {row["job_id"]: row["began"] for row in forge.sql(_BEGAN).dicts()}  # type: ignore[attr-defined]
    return [began[job_id] - begun for job_id, begun in inserted.items()]


def _dask() -> tuple[float, float, list[float]]:
    import distributed

    from tests.benchmarks.noop import began

    with scripts.start("raw_cluster", MANY_SLOTS) as process:
        assert process.stdout is not None and process.stdin is not None
        cluster = psutil.Process(process.pid)
        with distributed.Client(json.loads(process.stdout.readline())) as client:
            client.gather([client.submit(began, pure=False) for _ in range(50)])
            cpu_before, begun = scripts.cpu_seconds(cluster), time.time()
            client.gather([client.submit(began, pure=False) for _ in range(JOBS)])
            seconds = time.time() - begun
            cpu = (scripts.cpu_seconds(cluster) - cpu_before) / JOBS
            starts = []
            for _ in range(SINGLE):
                begun = time.time()
                starts.append(client.submit(began, pure=False).result() - begun)
        process.stdin.close()
    return JOBS / seconds, cpu, starts
