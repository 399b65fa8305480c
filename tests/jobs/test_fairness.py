"""Batches share a queue: a small one does not wait for a large one's end."""

from __future__ import annotations

from typing import Any

from soundforge_nb.lifecycle.identifiers import new_id


async def order_of_service(house: Any, jobs: int) -> list[Any]:
    served = []
    for _ in range(jobs):
        job = await house.run()
        served.append(job)
    return served


def test_batches_are_served_in_turn(in_house: Any) -> None:
    async def test(house: Any) -> None:
        large, small = new_id(), new_id()
        for _ in range(6):
            await house.insert(batch_id=large)
        for _ in range(2):
            await house.insert(batch_id=small)
        served = [job.batch_id for job in await order_of_service(house, 8)]
        assert served[:4] in ([large, small, large, small], [small, large, small, large])
        assert served[4:] == [large] * 4

    in_house(test, analysis_limit=1)


def test_several_slots_are_shared_at_once(in_house: Any) -> None:
    async def test(house: Any) -> None:
        large, small = new_id(), new_id()
        for _ in range(6):
            await house.insert(batch_id=large)
        for _ in range(2):
            await house.insert(batch_id=small)
        assert await house.engine.fill("analysis") == 4
        assert [job.batch_id for job, _ in house.hands.given].count(small) == 2

    in_house(test, analysis_limit=4)


def test_priority_goes_before_turns_and_age_counts_within_a_batch(in_house: Any) -> None:
    async def test(house: Any) -> None:
        one, other = new_id(), new_id()
        first = await house.insert(batch_id=one)
        second = await house.insert(batch_id=one)
        urgent = [await house.insert(batch_id=other, priority=0) for _ in range(3)]
        served = [job.job_id for job in await order_of_service(house, 5)]
        assert served == [*(job.job_id for job in urgent), first.job_id, second.job_id]

    in_house(test, analysis_limit=1)


def test_a_single_batch_costs_no_look_at_all_that_waits(in_house: Any) -> None:
    async def test(house: Any) -> None:
        batch = new_id()
        await house.insert(batch_id=batch)
        await house.run()
        assert await house.engine.fill("analysis") == 0
        # Everything that comes from now on is known.
        await house.insert(batch_id=batch)
        await house.insert(batch_id=batch)
        assert house.engine._demand.turns("analysis") is None
        await house.insert(batch_id=new_id())
        assert house.engine._demand.turns("analysis") is not None

    in_house(test, analysis_limit=1)
