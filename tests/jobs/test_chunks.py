"""Chunks: jobs of one kind in one Dask task, each with a lease, a start and an end of its own."""

from __future__ import annotations

import asyncio
from typing import Any

from soundforge_nb.jobs.begun import Marks, marks_file
from soundforge_nb.jobs.folding import Start
from soundforge_nb.jobs.job import Completed, NewJob
from tests.jobs.conftest import Plain, Tiny


async def insert(house: Any, *kinds: type[Plain]) -> list[NewJob]:
    jobs = [kind().new({}) for kind in kinds]
    await house.engine.insert(jobs)
    return jobs


def test_jobs_of_one_kind_share_the_slots_in_turn(in_house: Any) -> None:
    async def test(house: Any) -> None:
        jobs = await insert(house, *[Tiny] * 7)
        assert await house.engine.fill("analysis") == 6
        ids = [job.job_id for job in jobs]
        assert house.hands.tasks == [[ids[0], ids[2], ids[4]], [ids[1], ids[3], ids[5]]]
        assert len({job.lease_id for job, _ in house.hands.given}) == 6
        # The seventh waits: both slots are taken until the last job of a task has ended.
        assert await house.engine.fill("analysis") == 0
        for _ in range(5):
            job = house.hands.take()
            assert await house.start(job) == 1
            assert await house.finish(job, Completed())
        assert await house.engine.fill("analysis") == 1

    in_house(test, analysis_limit=2)


def test_other_kinds_do_not_join(in_house: Any) -> None:
    async def test(house: Any) -> None:
        tiny, plain, more = await insert(house, Tiny, Plain, Tiny)
        assert await house.engine.fill("analysis") == 2
        assert house.hands.tasks == [[tiny.job_id, more.job_id]]
        assert await house.state(plain) == "available"

    in_house(test, analysis_limit=1)


def test_what_did_not_start_goes_back_with_no_attempt_spent(in_house: Any) -> None:
    async def test(house: Any) -> None:
        jobs = await insert(house, Tiny, Tiny)
        await house.engine.fill("analysis")
        first, second = house.hands.take(), house.hands.take()
        assert await house.start(first) == 1
        mark(house, first)
        await lose_node(house)
        rows = [await house.row(job) for job in jobs]
        assert [row["state"] for row in rows] == ["available", "available"]
        # The one that ran gets its attempt back; the other never had one.
        assert [(row["attempt"], row["rescues"]) for row in rows] == [(1, 1), (0, 0)]
        assert await house.attempts(second) == []

    in_house(test, analysis_limit=1)


def test_what_was_allowed_to_begin_and_did_not_is_withdrawn(in_house: Any) -> None:
    async def test(house: Any) -> None:
        jobs = await insert(house, *[Tiny] * 3)
        await house.engine.fill("analysis")
        given = [house.hands.take() for _ in jobs]
        assert await begin(house, *given) == {job.lease_id: 1 for job in given}
        assert [await house.state(job) for job in jobs] == ["executing"] * 3
        mark(house, *given[:2])
        assert await house.finish(given[0], Completed())
        await lose_node(house)
        assert [await house.state(job) for job in jobs] == ["completed", "available", "available"]
        outcomes = [(await house.attempts(job))[0]["outcome"] for job in jobs]
        assert outcomes == ["completed", "rescued", "withdrawn"]
        # Neither has lost a try; only the one that ran is counted among those a Dask worker died of.
        rows = [await house.row(job) for job in jobs]
        assert [row["rescues"] for row in rows] == [0, 1, 0]
        assert [row["max_attempts"] - row["attempt"] for row in rows[1:]] == [2, 2]
        assert not marks_file(house.config.staging_folder, given[0].lease_id).exists()

    in_house(test, analysis_limit=1)


def test_an_application_that_ended_tells_them_apart_too(in_house: Any) -> None:
    async def test(house: Any) -> None:
        jobs = await insert(house, *[Tiny] * 3)
        await house.engine.fill("analysis")
        given = [house.hands.take() for _ in jobs]
        await begin(house, *given[:2])
        mark(house, given[0])
        again = house.new_engine()
        assert await again.reconcile() == 3
        outcomes = [[row["outcome"] for row in await house.attempts(job)] for job in jobs]
        assert outcomes == [["rescued"], ["withdrawn"], []]
        assert not list(house.config.staging_folder.iterdir())

    in_house(test, analysis_limit=1)


def test_an_orphan_is_told_apart_too(in_house: Any) -> None:
    async def test(house: Any) -> None:
        jobs = await insert(house, *[Tiny] * 2)
        await house.engine.fill("analysis")
        given = [house.hands.take() for _ in jobs]
        await begin(house, *given)
        mark(house, given[1])
        for job in given:
            house.engine.ledger.release(job.lease_id)
        assert await house.engine.rescue_orphans() == []
        assert len(await house.engine.rescue_orphans()) == 2
        outcomes = [(await house.attempts(job))[0]["outcome"] for job in jobs]
        assert outcomes == ["withdrawn", "rescued"]

    in_house(test, analysis_limit=1)


def test_of_several_that_ask_together_each_is_judged_alone(in_house: Any) -> None:
    async def test(house: Any) -> None:
        jobs = await insert(house, *[Tiny] * 3)
        await house.engine.fill("analysis")
        given = [house.hands.take() for _ in jobs]
        await house.engine.cancel([jobs[1].job_id], "not that one")
        assert await begin(house, *given) == {given[0].lease_id: 1, given[2].lease_id: 1}
        # Nobody begins twice.
        assert await begin(house, *given) == {}

    in_house(test, analysis_limit=1)


async def begin(house: Any, *jobs: Any) -> Any:
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    house.engine.begin([Start(job.job_id, job.lease_id, "node", "host") for job in jobs], future.set_result)
    return await future


def mark(house: Any, *jobs: Any) -> None:
    """What the Dask worker leaves of each that really begins."""
    slot = house.engine.ledger.get(jobs[0].lease_id).slot
    marks = Marks(marks_file(house.config.staging_folder, slot))
    for job in jobs:
        marks.mark(job.lease_id)
    marks.close()


async def lose_node(house: Any) -> None:
    for lease in house.engine.ledger.remove_node("node"):
        await house.engine.lost(lease.lease_id, "its Dask worker died")
    await house.engine.settled()
