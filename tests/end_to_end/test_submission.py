"""Tasks given to a real scheduler, directly and by a client: the same task, in the same place, once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import distributed
import pytest
from distributed.diagnostics.plugin import SchedulerPlugin

from soundforge_nb.cluster.submission import (
    ClientSubmission,
    DirectSubmission,
    Submission,
    open_submission,
)


def who(payload: str) -> None:
    """Leaves its Dask worker's address and what it was given where the test finds it."""
    distributed.get_worker().seen.append(payload)
    if payload == "bad":
        raise ValueError(payload)


class Watch(SchedulerPlugin):
    """Hears what became of each task, as the application does."""

    name = "watch"

    def __init__(self) -> None:
        self.submission: Any = None
        self.ends: dict[str, str] = {}
        self.changed = asyncio.Event()

    def transition(self, key: Any, start: str, finish: str, *args: Any, **kwargs: Any) -> None:
        if finish in ("memory", "erred"):
            self.ends[key] = finish
            self.submission.over(key)
        self.changed.set()


class House:
    def __init__(self, scheduler: Any, workers: list[Any], submission: Submission, watch: Watch) -> None:
        self.scheduler, self.workers = scheduler, workers
        self.submission, self.watch = submission, watch

    async def until(self, fits: Callable[[], bool]) -> None:
        async with asyncio.timeout(30):
            while not fits():
                self.watch.changed.clear()
                await self.watch.changed.wait()


@asynccontextmanager
async def house(by: str) -> AsyncIterator[House]:
    options = {"dashboard": False}
    async with (
        distributed.Scheduler(host="127.0.0.1", port=0, dashboard=False) as scheduler,
        distributed.Worker(scheduler.address, nthreads=2, resources={"tools": 1}, **options) as one,
        distributed.Worker(scheduler.address, nthreads=2, resources={"tools": 1}, **options) as two,
    ):
        one.seen, two.seen = [], []
        if by == "client":
            client = await distributed.Client(scheduler.address, asynchronous=True, set_as_default=False)
            submission: Submission = ClientSubmission(client)
        else:
            submission = await open_submission(scheduler)
            assert isinstance(submission, DirectSubmission), "the tested version of Dask has the direct way"
        watch = Watch()
        watch.submission = submission
        scheduler.add_plugin(watch)
        yield House(scheduler, [one, two], submission, watch)
        await submission.close()


BOTH = pytest.mark.parametrize("by", ["client", "scheduler"])


@BOTH
def test_a_task_runs_once_where_it_was_sent_and_is_forgotten(by: str) -> None:
    async def test() -> None:
        async with house(by) as there:
            for worker in there.workers:
                payloads = {f"task-{worker.name}-{n}": f"{worker.name} {n}" for n in range(5)}
                there.submission.submit(who, payloads, worker.address, "tools")
                await there.until(lambda payloads=payloads: there.watch.ends.keys() >= payloads.keys())
                # One tool, so one after the other, in their order.
                assert worker.seen == list(payloads.values())
            assert set(there.watch.ends.values()) == {"memory"}
            await there.until(lambda: not there.scheduler.tasks)

    asyncio.run(test())


@BOTH
def test_one_that_fails_is_told_and_is_forgotten_too(by: str) -> None:
    async def test() -> None:
        async with house(by) as there:
            there.submission.submit(who, {"task-bad": "bad"}, there.workers[0].address, "tools")
            await there.until(lambda: there.watch.ends == {"task-bad": "erred"})
            await there.until(lambda: not there.scheduler.tasks)
            assert there.workers[0].seen == ["bad"]

    asyncio.run(test())


@BOTH
def test_one_that_nobody_waits_for_any_more_never_runs(by: str) -> None:
    async def test() -> None:
        async with house(by) as there:
            there.submission.submit(who, {"task-none": "x"}, there.workers[0].address, "no such tool")
            await there.until(lambda: "task-none" in there.scheduler.tasks)
            there.submission.release("task-none")
            await there.until(lambda: not there.scheduler.tasks)
            there.submission.release("task-none")
            assert there.workers[0].seen == []

    asyncio.run(test())


def test_another_version_s_scheduler_is_given_tasks_by_a_client() -> None:
    async def test() -> None:
        class Other(distributed.Scheduler):
            def _create_taskstate_from_graph(self, *, dsk: Any, something_new: Any, **rest: Any) -> Any:
                raise AssertionError("its parameters are not known")

        class Older(distributed.Scheduler):
            _create_taskstate_from_graph = None

        for kind in (Other, Older):
            async with kind(host="127.0.0.1", port=0, dashboard=False) as scheduler:
                submission = await open_submission(scheduler)
                assert isinstance(submission, ClientSubmission)
                await submission.close()

    asyncio.run(test())
