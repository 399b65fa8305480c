"""The two loops around the engine: one hands over what fits, one takes up what was left."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from soundforge_nb.jobs import queue as queue_module
from soundforge_nb.jobs.folding import fold
from soundforge_nb.jobs.job import Retry
from soundforge_nb.jobs.lifeline import Lifeline
from soundforge_nb.jobs.queue import Queue
from soundforge_nb.jobs.verdict import plain_error
from soundforge_nb.store.store import Store


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """The loops tick in milliseconds; what they decide by is the clock that the test moves."""
    monkeypatch.setattr(queue_module, "DUE_SECONDS", 0.002)
    caplog.set_level(logging.CRITICAL, "soundforge_nb")


class Living:
    """A queue's loop in a task; `given` waits until the dispatch has so many jobs."""

    def __init__(self, house: Any) -> None:
        self.house = house
        self.queue = Queue("analysis", house.engine)

    async def __aenter__(self) -> Living:
        await self.queue.start()
        self.task = asyncio.create_task(self.queue.run())
        return self

    async def __aexit__(self, *_: Any) -> None:
        self.task.cancel()
        await asyncio.wait([self.task])

    async def given(self, jobs: int) -> None:
        async with asyncio.timeout(30):
            while len(self.house.hands.given) < jobs:
                await asyncio.sleep(0.001)


def queries(house: Any) -> list[str]:
    seen: list[str] = []
    house.telemetry.attach("queries", ["store.query"], lambda e, m, metadata: seen.append(metadata["label"]))
    return seen


def test_an_idle_queue_asks_nothing_of_the_store(in_house: Any) -> None:
    async def test(house: Any) -> None:
        await house.insert(scheduled_in_seconds=3600)
        async with Living(house):
            seen = queries(house)
            async with asyncio.timeout(30):
                while "claim" not in seen:
                    await asyncio.sleep(0.001)
            seen.clear()
            # Many ticks long.
            await asyncio.sleep(0.1)
            assert seen == []

    in_house(test)


def test_whatever_gives_it_work_wakes_it(in_house: Any) -> None:
    async def test(house: Any) -> None:
        async with Living(house) as living:
            await house.insert()
            await living.given(1)
            await house.insert()
            await house.start(house.hands.given[0][0])
            # The slot is taken; the end of the first is what lets the second in.
            assert len(house.hands.given) == 1
            await house.finish(house.hands.given[0][0])
            await living.given(2)

    in_house(test, analysis_limit=1)


def test_a_retryable_job_comes_back_when_its_time_has_come(in_house: Any) -> None:
    async def test(house: Any) -> None:
        async with Living(house) as living:
            await house.insert()
            await living.given(1)
            job = house.hands.given[0][0]
            await house.start(job)
            await house.finish(job, Retry(plain_error("It fell."), after_seconds=60.0))
            house.clock.advance(59.0)
            await asyncio.sleep(0.02)
            assert len(house.hands.given) == 1
            house.clock.advance(1.0)
            await living.given(2)

    in_house(test)


def test_a_queue_outlives_the_store_s_absence(in_house: Any) -> None:
    async def test(house: Any) -> None:
        job = await house.insert()
        async with Living(house) as living:
            await living.given(1)
            await house.store.stop()
            for event in house.engine.wake.values():
                event.set()
            await asyncio.sleep(0.02)
            assert not living.task.done()
            house.store = Store(house.config.store_file, fold=fold)
            await house.store.start()
            await house.insert()
            await living.given(2)
            assert house.hands.given[0][0].job_id == job.job_id

    in_house(test)


def test_a_queue_takes_up_what_the_last_application_left(in_house: Any) -> None:
    async def test(house: Any) -> None:
        job = await house.running()
        house.engine = house.new_engine()
        async with Living(house) as living:
            await living.given(1)
            assert house.hands.given[0][0].job_id == job.job_id

    in_house(test)


# -- the lifeline ---------------------------------------------------------------------------------


async def tick(house: Any, lifeline: Lifeline, seconds: float, *, alive: bool = False) -> list[str]:
    """Let time go by as the loop would see it, a second a tick; returns who was rescued."""
    rescued: list[str] = []
    for _ in range(int(seconds)):
        house.clock.advance(1.0)
        if alive:
            leases = [lease.lease_id for lease in house.engine.ledger.leases()]
            house.engine.ledger.renew(leases, house.clock.monotonic() + house.config.lease_seconds)
        rescued += await lifeline.tick()
    return rescued


def test_a_silent_lease_is_taken_up_when_it_runs_out(in_house: Any) -> None:
    async def test(house: Any) -> None:
        lifeline = Lifeline(house.engine)
        job = await house.running()
        assert await tick(house, lifeline, 29) == []
        assert await tick(house, lifeline, 1) == [job.lease_id]
        await house.engine.settled()
        assert await house.state(job) == "available"
        # Should it run after all, it works for nobody.
        assert house.hands.cancelled == [(job.job_id, "its lease ran out")]

    in_house(test)


def test_a_live_job_is_never_touched_however_old(in_house: Any) -> None:
    async def test(house: Any) -> None:
        lifeline = Lifeline(house.engine)
        job = await house.running()
        assert await tick(house, lifeline, 1000, alive=True) == []
        assert await house.state(job) == "executing"
        # Its progress counts as a sign of life as well.
        for percent in range(30):
            house.engine.progressed(job.lease_id, percent, "still here")
            assert await tick(house, lifeline, 5) == []
        assert await house.finish(job)
        assert (await house.row(job))["attempt"] == 1

    in_house(test)


def test_after_the_machine_slept_every_lease_gets_a_fresh_term(in_house: Any) -> None:
    async def test(house: Any) -> None:
        lifeline = Lifeline(house.engine)
        job = await house.running()
        await tick(house, lifeline, 10)
        house.clock.advance(3600)
        assert await lifeline.tick() == []
        assert await tick(house, lifeline, 29) == []
        assert await tick(house, lifeline, 1) == [job.lease_id]

    in_house(test)


def test_it_writes_progress_down_and_repeats_cancels(in_house: Any) -> None:
    async def test(house: Any) -> None:
        lifeline = Lifeline(house.engine)
        job = await house.running()
        house.engine.progressed(job.lease_id, 33, "a third")
        await house.engine.cancel([job.job_id], "stop")
        await tick(house, lifeline, 1)
        await house.engine.settled()
        assert (await house.row(job))["progress"] == 33
        assert house.hands.cancelled == [(job.job_id, "stop")] * 2

    in_house(test)


def test_it_takes_up_what_executes_without_a_lease(in_house: Any) -> None:
    async def test(house: Any) -> None:
        lifeline = Lifeline(house.engine)
        job = await house.running()
        house.engine.ledger.release(job.lease_id)
        assert await tick(house, lifeline, 61) == [job.lease_id]
        assert await house.state(job) == "available"

    in_house(test)


def test_its_loop_outlives_the_store_s_absence(in_house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(house: Any) -> None:
        monkeypatch.setattr("soundforge_nb.jobs.lifeline.TICK_SECONDS", 0.001)
        monkeypatch.setattr("soundforge_nb.jobs.runs.REPEAT_SECONDS", (0.0,))
        job = await house.running()
        life = asyncio.create_task(Lifeline(house.engine).run())
        await house.store.stop()
        house.engine.ledger.renew([job.lease_id], 0.0)
        await asyncio.sleep(0.05)
        assert not life.done()
        house.store = Store(house.config.store_file, fold=fold)
        await house.store.start()
        async with asyncio.timeout(30):
            while await house.state(job) != "available":
                await asyncio.sleep(0.001)
        life.cancel()
        await asyncio.wait([life])

    in_house(test)
