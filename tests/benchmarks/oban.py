"""Durable jobs that do nothing, beside the same by oban-py on a PostgreSQL server of its own.

Both commit the insertion, the claim and the end of each job to disk, and run as many at once. A job of ours
is a Dask task in another process, and its result is kept; one of oban-py's is a coroutine in the process that
claims it, and keeps none. Counted is the CPU of what runs the jobs, database included, not of who inserts.

The package needs neither; where one is missing this says so, and measures nothing. To install them:

- PostgreSQL 14 or newer, by Debian's package ``postgresql``;
- oban-py, by ``pip install oban`` where the benchmarks run. It wants Python 3.12 or newer; where they run on
  an older one: ``python3.12 -m venv build/oban && build/oban/bin/pip install oban``.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.benchmarks import jobs, postgres, scripts
from tests.benchmarks.table import Measurement

_OWN_PYTHON = scripts.ROOT / "build" / "oban" / "bin" / "python"
_VERSIONS = "import oban, platform; print(f'oban-py {oban.__version__}, Python {platform.python_version()}')"


@dataclass(frozen=True)
class _Figures:
    run: jobs.Run
    inserts: float
    starts: list[float]


def measure(folder: Path) -> list[Measurement]:
    found = _python()
    if found is None or postgres.programs() is None:
        missing = "oban-py" if found is None else "PostgreSQL"
        print(f"oban: {missing} is not installed, so nothing is measured; see {__file__}.", file=sys.stderr)
        return []
    python, versions = found
    theirs, database = _theirs(folder / "postgresql", python)
    return list(_compare(_ours(folder / "ours"), theirs, f"{versions}, {database}"))


def _compare(ours: _Figures, theirs: _Figures, yardstick: str) -> Iterator[Measurement]:
    slots = f"{jobs.MANY_SLOTS} at once"
    cpu, their_cpu = (1e3 * figures.run.cpu_seconds for figures in (ours, theirs))
    inserts = f"insert of {jobs.BULK:,} jobs"
    yield Measurement(f"durable no-op jobs, {slots}", ours.run.rate, "1/s", yardstick, theirs.run.rate)
    yield Measurement(f"CPU a no-op job, {slots}", cpu, "ms", yardstick, their_cpu)
    yield Measurement(inserts, ours.inserts, "1/s", yardstick, theirs.inserts)
    for percent in (50, 99):
        at, their_at = (jobs.percentile_ms(figures.starts, percent) for figures in (ours, theirs))
        yield Measurement(f"from insert() to the start, p{percent}", at, "ms", yardstick, their_at)


def _python() -> tuple[str, str] | None:
    """A Python that has oban-py, and both versions."""
    for python in (sys.executable, str(_OWN_PYTHON)):
        if Path(python).exists():
            asked = subprocess.run([python, "-c", _VERSIONS], capture_output=True, text=True)
            if asked.returncode == 0:
                return python, asked.stdout.strip()
    return None


def _ours(folder: Path) -> _Figures:
    with jobs.connected(folder, jobs.MANY_SLOTS) as (forge, application):
        run = jobs.run_jobs(forge, application, "noop")
        starts = jobs.single_starts(forge, "noop")
        return _Figures(run, jobs.insert_rate(forge), starts)


def _theirs(folder: Path, python: str) -> tuple[_Figures, str]:
    with scripts.start("postgres", folder) as server:
        told = _answer(server)
        with _script(python, "serve", told["dsn"], jobs.MANY_SLOTS) as (runner, first):
            processes = [psutil.Process(told["pid"]), psutil.Process(runner.pid)]
            with _script(python, "insert", told["dsn"]) as (client, _):
                _insert(client, 50)
                _wait(runner, 50)
                run = _run(client, runner, processes)
                starts = [_single_start(client, runner) for _ in range(jobs.SINGLE)]
                figures = _Figures(run, jobs.BULK / _insert_in_bulk(client), starts)
        assert server.stdin is not None
        server.stdin.close()
        assert server.wait(60) == 0, "PostgreSQL did not end"
    return figures, f"PostgreSQL {first['postgresql']}"


@contextmanager
def _script(python: str, *arguments: object) -> Iterator[tuple[subprocess.Popen[str], Any]]:
    command = [python, "-m", "tests.benchmarks.oban_script", *map(str, arguments)]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=scripts.environment(), cwd=scripts.ROOT, **pipes) as process:
        yield process, _answer(process)


def _run(client: subprocess.Popen[str], runner: subprocess.Popen[str], processes: list[Any]) -> jobs.Run:
    """The same clocks as ours: from the call that inserts to the last time of an end that was committed."""
    cpu_before = sum(map(scripts.cpu_seconds, processes))
    begun = _insert(client, jobs.JOBS)["begun"]
    _wait(runner, jobs.JOBS)
    cpu = (sum(map(scripts.cpu_seconds, processes)) - cpu_before) / jobs.JOBS
    ended = _ask(client, ended_since=begun)
    assert ended["jobs"] == jobs.JOBS, ended
    return jobs.Run(jobs.JOBS / (ended["ended"] - begun), cpu)


def _single_start(client: subprocess.Popen[str], runner: subprocess.Popen[str]) -> float:
    begun = _insert(client, 1)["begun"]
    began: float = _wait(runner, 1)
    return began - begun


def _insert_in_bulk(client: subprocess.Popen[str]) -> float:
    """Seconds, in calls of ten thousand; like ours they wait for a day that does not come."""
    call = 10_000
    return sum(_ask(client, jobs=call, later=True)["seconds"] for _ in range(jobs.BULK // call))


def _insert(client: subprocess.Popen[str], count: int) -> Any:
    return _ask(client, jobs=count)


def _wait(runner: subprocess.Popen[str], count: int) -> float:
    """Until the ends of so many are committed; returns when the last began."""
    began = 0.0
    while count > 0:
        told = _answer(runner)
        count, began = count - told["acknowledged"], told["began"]
    return began


def _ask(client: subprocess.Popen[str], **order: object) -> Any:
    assert client.stdin is not None
    client.stdin.write(json.dumps(order) + "\n")
    client.stdin.flush()
    return _answer(client)


def _answer(process: subprocess.Popen[str]) -> Any:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, f"{process.args} ended with status {process.wait(60)}"
    return json.loads(line)
