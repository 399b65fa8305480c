"""Kinds of one's own: a few lines are durable jobs on the cluster; and many jobs in little memory."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import soundforge_nb as sf

KINDS = """
import os
import signal
import subprocess
import sys
import time

import soundforge_nb as sf
from soundforge_nb.errors import UsageError


class Double(sf.Kind):
    name, queue, runs_in = "double", "analysis", "dask_task"

    def check(self, args):
        if not isinstance(args.get("n"), int):
            raise UsageError(f"n is {args.get('n')!r}.", "Give a whole number.")

    def process(self, job, context):
        context.progress(50, "half way")
        return sf.Completed({"n": 2 * job.args["n"]})


class Total(sf.Kind):
    name, queue = "total", "analysis"

    def process(self, job, context):
        return sf.Completed({"n": sum(result["n"] for result in job.parents.values())})


class Third(sf.Kind):
    name, queue = "third_time", "analysis"

    def backoff_seconds(self, attempt):
        return 0.05

    def process(self, job, context):
        if job.attempt < 3:
            raise RuntimeError(f"not at attempt {job.attempt}")
        return sf.Completed({})


class Crash(sf.Kind):
    name, queue, max_attempts = "crash", "analysis", 1

    def process(self, job, context):
        os.kill(os.getpid(), signal.SIGSEGV)


class Slow(sf.Kind):
    name, queue, max_attempts, timeout_seconds = "slow", "analysis", 1, 2.0
    tags = ("slow",)

    def process(self, job, context):
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        context.progress(10, f"process {os.getpid()}")
        (context.staging_folder / "half").write_text("done")
        time.sleep(600)


class Render(sf.Kind):
    # Sees whether it has its GPU to itself: the folder can be made by one at a time.
    name, queue, gpu = "render", "analysis", True

    def process(self, job, context):
        mine = context.config.data_folder / f"gpu {os.environ['CUDA_VISIBLE_DEVICES']}"
        mine.mkdir()
        time.sleep(0.05)
        mine.rmdir()
        return sf.Completed({"gpu": context.gpu, "seen": os.environ["CUDA_VISIBLE_DEVICES"]})


class Patient(Slow):
    name, timeout_seconds = "patient", 500.0


class Never(sf.Kind):
    name, queue = "never", "analysis"

    def process(self, job, context):
        return sf.Discard({"error": "SoundforgeError", "kind": "error", "message": "No.", "remedy": ""})
"""
#: Jobs of the memory test, after a first part that fills the caches of both processes. Ten thousand take
#: minutes on a busy machine: `make bench` runs them and prints what they cost; a share shows a leak too.
FIRST, MANY = 500, 1_000
GROWTH_BYTES = 12e6


@pytest.fixture
def own(tmp_path: Path, own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sf.Forge]:
    (tmp_path / "own_kinds.py").write_text(KINDS)
    # As beside a notebook: the module is importable from where the person works.
    monkeypatch.chdir(tmp_path)
    kinds = ", ".join(
        f"own_kinds:{name}"
        for name in ("Double", "Total", "Third", "Crash", "Slow", "Patient", "Never", "Render")
    )
    # This machine may have no GPU; what is told to children is the same.
    with sf.connect(data_folder=own_folder, kinds=kinds, analysis_limit=16, gpus=2) as forge:
        yield forge


@pytest.mark.timeout(120)
def test_a_few_lines_are_a_durable_job(own):
    doubles = own.insert("double", [{"n": n} for n in range(50)], tags=["mine"], priority=2)
    (total,) = own.insert("total", [{}], parents=doubles)
    (third,) = own.insert("third_time", [{}])
    (never,) = own.insert("never", [{}])

    assert own.wait([*doubles, total, third, never], 60)

    assert own.job(doubles[7])["result"] == {"n": 14}
    assert own.job(total)["result"] == {"n": 2 * sum(range(50))}
    attempts = own.sql(
        f"SELECT outcome, error FROM attempts WHERE job_id = '{third}' ORDER BY attempt"
    ).dicts()
    assert [attempt["outcome"] for attempt in attempts] == ["retry", "retry", "completed"]
    assert "not at attempt 1" in attempts[0]["error"]
    assert own.job(never)["state"] == "discarded"
    assert own.job(never)["error"]["message"] == "No."
    assert own.retry(never) == 1


@pytest.mark.timeout(180)
def test_a_gpu_is_one_job_s_at_a_time(own):
    renders = own.insert("render", [{}] * 8)
    (double,) = own.insert("double", [{"n": 1}])
    assert own.wait([*renders, double], 120)
    results = [own.job(job_id)["result"] for job_id in renders]
    assert {result["seen"] for result in results} == {"0", "1"}
    assert all(result["gpu"] == result["seen"] for result in results)
    assert all(own.job(job_id)["attempt"] == 1 for job_id in renders)
    assert own.status()["dask_workers"][0]["gpus"] == 2


@pytest.mark.timeout(120)
def test_a_crash_of_a_job_is_an_error_of_one_attempt(own, own_folder, application):
    dask_worker = application(own_folder).dask_workers()[0]
    (crash,) = own.insert("crash", [{}])
    assert own.wait([crash], 60)
    job = own.job(crash)
    assert (job["state"], job["attempt"]) == ("discarded", 1)
    assert "SIGSEGV" in job["error"]["message"]
    assert dask_worker.is_running()


@pytest.mark.timeout(120)
def test_a_timeout_ends_a_job_with_all_that_it_started(own, own_folder, application):
    (slow,) = own.insert("slow", [{}])
    assert own.wait([slow], 60)
    job = own.job(slow)
    assert job["state"] == "discarded"
    assert "2 s" in job["error"]["message"]
    assert json.loads(own.sql("SELECT tags FROM jobs").dicts()[0]["tags"]) == ["slow"]
    assert sleepers(application(own_folder)) == []


@pytest.mark.timeout(120)
def test_a_cancel_ends_a_job_with_all_that_it_started_and_frees_its_slot(
    own, own_folder, application, watcher
):
    watching = watcher(own)
    jobs = own.insert("patient", [{}] * 16)
    begun = set()

    def all_begun(body):
        if body.get("progress") == 10:
            begun.add(body["job_id"])
        return len(begun) == 16

    watching.wait_for(all_begun)
    house = application(own_folder)
    # One that was just started has no command line yet, for a moment.
    until = time.monotonic() + 30
    while len(sleepers(house)) < 16:
        assert time.monotonic() < until, "not every job started its own"
        time.sleep(0.02)
    assert own.cancel(*jobs) == 16
    assert own.wait(jobs, 30)
    # Their slots are free again: as many as there are run at once.
    doubles = own.insert("double", [{"n": n} for n in range(16)])
    assert own.wait(doubles, 30)
    assert sleepers(house) == []
    assert {own.job(job)["state"] for job in jobs} == {"cancelled"}
    assert list((own_folder / "staging").glob("*/half")) == []
    watching.close()


def sleepers(house):
    return [p for p in house.everyone() if "time.sleep(600)" in " ".join(p.cmdline())]


@pytest.mark.timeout(120)
def test_what_does_not_fit_is_refused_before_there_is_a_job(own):
    for kind, args, options, sentence in [
        ("double", {"n": "two"}, {}, "n is 'two'"),
        ("triple", {}, {}, "No kind of job is named 'triple' here.*double"),
        ("double", [1], {}, "are no object"),
        ("double", {"n": 1, "name": "\udcff"}, {}, "half of a character"),
        ("double", {"n": 1}, {"priority": 10}, "priority is 0 .* to 9"),
        ("double", {"n": 1}, {"colour": "red"}, 'colour = "red"'),
        ("double", {"n": 1}, {"parents": ["0190a000-0000-7000-8000-000000000001"]}, "does not exist|no job"),
    ]:
        with pytest.raises(sf.SoundforgeError, match=sentence):
            own.insert(kind, [{"n": 1} if isinstance(args, dict) else args, args], **options)
    assert len(own.jobs()) == 0


@pytest.mark.timeout(300)
def test_memory_stays_flat_over_many_jobs(own, own_folder, application):
    house = application(own_folder)
    watched = {"application": house.process, "Dask worker": house.dask_workers()[0]}
    assert own.wait(own.insert("double", [{"n": n} for n in range(FIRST)]), 100)
    before = {name: process.memory_info().rss for name, process in watched.items()}

    assert own.wait(own.insert("double", [{"n": n} for n in range(MANY)]), 250)

    for name, process in watched.items():
        grown = process.memory_info().rss - before[name]
        print(f"{name}: {before[name] / 1e6:.0f} MB, {grown / 1e6:+.1f} MB after {MANY} jobs")
        assert grown < GROWTH_BYTES, name
    counts = own.sql("SELECT state, count(*) AS n FROM jobs GROUP BY state").dicts()
    assert counts == [{"state": "completed", "n": FIRST + MANY}]
