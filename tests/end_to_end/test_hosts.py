"""A second host joins, is cut off in the middle of its work, and comes back."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

import soundforge_nb as sf

KINDS = """
import pathlib
import time
import soundforge_nb as sf


class Gate(sf.Kind):
    name, queue, runs_in = "gate", "analysis", "dask_task"

    def process(self, job, context):
        while not pathlib.Path(job.args["gate"]).exists():
            time.sleep(0.01)
        return sf.Completed({})
"""
NEAR, FAR = "10.213.7.1", "10.213.7.2"


class Host:
    """Another host, as far as the application can tell: it can be reached, or not."""

    def __init__(self, prefix: list[str], address: str, cut: Callable[[], None], mend: Callable[[], None]):
        self.prefix = prefix
        self.address = address
        self.cut = cut
        self.mend = mend
        self.process: subprocess.Popen[str] | None = None

    def join(self, folder: Path, python_path: Path) -> None:
        command = [*self.prefix, sys.executable, "-m", "soundforge_nb.cli", "worker", "--data-folder"]
        environment = {**os.environ, "PYTHONPATH": str(python_path), "SOUNDFORGE_KINDS": "host_kinds:Gate"}
        self.process = subprocess.Popen(
            [*command, str(folder)], stdout=subprocess.PIPE, env=environment, text=True
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline().startswith("Attached to tls://")

    def everyone(self) -> list[psutil.Process]:
        assert self.process is not None
        above = psutil.Process(self.process.pid)
        return [above, *above.children(recursive=True)]

    def leave(self) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


@contextmanager
def a_network_namespace() -> Iterator[Host]:
    """A network of its own, tied to this one by a cable that can be pulled."""
    name, cable = f"sf-{os.getpid()}", f"sf{os.getpid() % 100_000}"

    def ip(*arguments: str) -> None:
        subprocess.run(["ip", *arguments], check=True, capture_output=True)

    ip("netns", "add", name)
    try:
        ip("link", "add", f"{cable}a", "type", "veth", "peer", "name", f"{cable}b", "netns", name)
        ip("addr", "add", f"{NEAR}/24", "dev", f"{cable}a")
        ip("link", "set", f"{cable}a", "up")
        there = ("netns", "exec", name, "ip")
        ip(*there, "addr", "add", f"{FAR}/24", "dev", f"{cable}b")
        ip(*there, "link", "set", "lo", "up")
        ip(*there, "link", "set", f"{cable}b", "up")
        yield Host(
            ["ip", "netns", "exec", name],
            NEAR,
            lambda: ip(*there, "link", "set", f"{cable}b", "down"),
            lambda: ip(*there, "link", "set", f"{cable}b", "up"),
        )
    finally:
        subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)


@contextmanager
def processes_that_are_stopped() -> Iterator[Host]:
    """Nobody hears a process that stands still."""

    def send(number: int) -> Callable[[], None]:
        return lambda: [process.send_signal(number) for process in host.everyone()] and None

    host = Host([], "127.0.0.1", send(signal.SIGSTOP), send(signal.SIGCONT))
    yield host


def _may_make_namespaces() -> bool:
    if shutil.which("ip") is None:
        return False
    name = f"sf-try-{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False).returncode == 0
    if made:
        subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
    return made


@pytest.fixture(params=["network namespace", "stopped processes"])
def host(request: pytest.FixtureRequest) -> Iterator[Host]:
    if request.param == "network namespace" and not _may_make_namespaces():
        pytest.skip("this machine lets nobody make network namespaces; the stopped processes stand for them")
    make = a_network_namespace if request.param == "network namespace" else processes_that_are_stopped
    with make() as made:
        try:
            yield made
        finally:
            if made.process is not None and made.process.poll() is None:
                made.mend()
                everyone = made.everyone()
                made.process.terminate()
                _, left = psutil.wait_procs(everyone, timeout=20)
                assert not left
            if made.process is not None and made.process.stdout is not None:
                made.process.stdout.close()


def until(fits: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not fits():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.05)


@pytest.mark.timeout(180)
def test_a_host_joins_is_cut_off_and_comes_back(host, own_folder, tmp_path, monkeypatch):
    (tmp_path / "host_kinds.py").write_text(KINDS)
    monkeypatch.chdir(tmp_path)
    settings = {"kinds": "host_kinds:Gate", "lease_seconds": 3.0, "host": host.address}
    with sf.connect(data_folder=own_folder, **settings) as forge:
        (near,) = [worker["address"] for worker in forge.status()["dask_workers"]]
        host.join(own_folder, tmp_path)
        until(lambda: len(forge.status()["dask_workers"]) == 2)
        (far,) = [w["address"] for w in forge.status()["dask_workers"] if w["address"] != near]

        gate = tmp_path / "gate"
        jobs = forge.insert("gate", [{"gate": str(gate)}] * 4)
        started = "SELECT job_id, dask_worker FROM attempts WHERE ended_at IS NULL"
        until(lambda: len(forge.sql(started)) == 4)
        there = [str(row["job_id"]) for row in forge.sql(started).dicts() if row["dask_worker"] == far]
        assert len(there) == 2

        host.cut()
        rescued = "SELECT job_id FROM attempts WHERE outcome = 'rescued'"
        until(lambda: len(forge.sql(rescued)) == 2)
        assert {str(row["job_id"]) for row in forge.sql(rescued).dicts()} == set(there)
        gate.touch()
        # The near one does the work of both.
        assert forge.wait(jobs, 60)

        host.mend()
        # Its late answers are those of dead leases; it is heard again, and works again.
        more = []

        def far_works() -> bool:
            more.extend(forge.insert("gate", [{"gate": str(gate)}] * 4))
            assert forge.wait(more, 60)
            workers = forge.sql("SELECT DISTINCT dask_worker FROM attempts WHERE outcome = 'completed'")
            away = {near}
            return any(row["dask_worker"] not in away for row in workers.dicts())

        until(far_works)
        outcomes = forge.sql(
            "SELECT job_id, list(outcome ORDER BY started_at) AS outcomes FROM attempts GROUP BY job_id"
        ).dicts()
        by_job = {str(row["job_id"]): row["outcomes"] for row in outcomes}
        assert {job: by_job[job] for job in there} == {job: ["rescued", "completed"] for job in there}
        assert {tuple(by_job[job]) for job in [*jobs, *more] if job not in there} == {("completed",)}
        assert {forge.job(job)["state"] for job in jobs} == {"completed"}
        assert host.leave() == 0
        until(lambda: len(forge.status()["dask_workers"]) == 1)


def test_a_host_without_the_keys_is_told_so(tmp_path, capsys):
    from soundforge_nb import cli

    assert cli.main(["worker", "--data-folder", str(tmp_path)]) == 3
    assert "keys" in capsys.readouterr().err
