"""Chunks: jobs of one kind in one Dask task, each with a lease, a start and an end of its own."""

from __future__ import annotations

from typing import Any

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
        for lease in house.engine.ledger.remove_node("node"):
            await house.engine.lost(lease.lease_id, "its Dask worker died")
        rows = [await house.row(job) for job in jobs]
        assert [row["state"] for row in rows] == ["available", "available"]
        # The one that ran gets its attempt back; the other never had one.
        assert [(row["attempt"], row["rescues"]) for row in rows] == [(1, 1), (0, 0)]
        assert await house.attempts(second) == []

    in_house(test, analysis_limit=1)
