"""Queues of a real application: paused, scaled and drained as it runs, and as they were left after a kill."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
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
        pathlib.Path(job.args["began"]).touch()
        while not pathlib.Path(job.args["gate"]).exists():
            time.sleep(0.01)
        return sf.Completed({})


class Other(Gate):
    name, queue = "other", "download"
"""


@pytest.fixture
def own(tmp_path: Path, own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sf.Forge]:
    (tmp_path / "gate_kinds.py").write_text(KINDS)
    monkeypatch.chdir(tmp_path)
    with sf.connect(data_folder=own_folder, kinds="gate_kinds:Gate, gate_kinds:Other") as forge:
        yield forge


def gates(folder: Path, jobs: int) -> list[dict[str, str]]:
    return [{"began": str(folder / f"began-{n}"), "gate": str(folder / "gate")} for n in range(jobs)]


@pytest.mark.timeout(180)
def test_a_pause_outlives_the_application(own, own_folder, application, tmp_path):
    (tmp_path / "gate").touch()
    assert own.pause("analysis")
    (waiting,) = own.insert("gate", gates(tmp_path, 1))
    (other,) = own.insert("other", [{"began": str(tmp_path / "other"), "gate": str(tmp_path / "gate")}])
    assert own.wait([other], 60)
    assert own.job(waiting)["state"] == "available"

    victims = application(own_folder).everyone()
    victims[0].send_signal(signal.SIGKILL)
    psutil.wait_procs(victims, timeout=30)

    (more,) = own.insert("other", [{"began": str(tmp_path / "more"), "gate": str(tmp_path / "gate")}])
    assert own.wait([more], 60)
    assert own.job(waiting)["state"] == "available"
    assert own.queues().set_index("queue")["paused"].to_dict()["analysis"]
    assert own.resume("analysis")
    assert own.wait([waiting], 60)
    assert own.job(waiting)["state"] == "completed"


@pytest.mark.timeout(180)
def test_a_scaled_queue_really_runs_more_and_is_drained(own, tmp_path, watcher):
    watching = watcher(own)
    jobs = own.insert("gate", gates(tmp_path, 8))

    def executing(count):
        started = set()

        def fits(body):
            if body.get("state") == "executing":
                started.add(body["job_id"])
            return len(started) == count

        return fits

    watching.wait_for(executing(2))
    assert own.scale("analysis", 6)
    # Six at once: Dask's own resources had to grow with the limit.
    watching.wait_for(executing(6))
    assert own.queues().set_index("queue")["running"].to_dict()["analysis"] == 6

    drained = []
    draining = threading.Thread(target=lambda: drained.append(own.drain("analysis", 60)))
    draining.start()
    watching.wait_for(lambda body: body.get("queue") == "analysis" and body.get("paused") is True)
    (tmp_path / "gate").touch()
    draining.join(90)
    assert drained == [True]
    states = own.sql("SELECT state, count(*) AS n FROM jobs GROUP BY state ORDER BY state").dicts()
    assert states == [{"state": "available", "n": 2}, {"state": "completed", "n": 6}]
    assert own.resume("analysis")
    assert own.wait(jobs, 60)
    watching.close()


@pytest.mark.timeout(120)
def test_a_shell_does_the_same(own, own_folder, capsys):
    from soundforge_nb import cli

    def run(*arguments):
        status = cli.main(["queue", *arguments, "--data-folder", str(own_folder)])
        return status, capsys.readouterr()

    assert "queue analysis    0 of 2 running, paused" in run("analysis", "--pause")[1].out
    assert "queue analysis    0 of 5 running, paused" in run("analysis", "--limit", "5")[1].out
    assert "queue analysis    0 of 2 running\n" in run("analysis", "--default-limit")[1].out + (
        run("analysis", "--resume")[1].out
    )
    status, said = run("analysis", "--limit", "40")
    assert status == 2
    assert "a Dask worker has 32 threads" in said.err
    status, said = run("mixing", "--pause")
    assert status == 2
    assert "no queue named 'mixing'" in said.err
    assert run("--pause")[0] == 2
