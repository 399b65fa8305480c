"""GPUs as a resource: a job that needs one has it to itself, and keeps nobody waiting who needs none."""

from __future__ import annotations

from typing import Any

from soundforge_nb.jobs import claiming
from soundforge_nb.jobs.job import NewJob
from tests.jobs.conftest import Heavy, House, Plain, Tiny


async def insert(house: House, *kinds: Any) -> list[NewJob]:
    jobs = [kind().new({}) for kind in kinds]
    await house.engine.insert(jobs)
    return jobs


def places(house: House, jobs: list[NewJob]) -> dict[int, tuple[str, bool]]:
    """Which of the jobs were handed over, and where to, with a GPU or without."""
    given = {job.job_id: (node, job.gpu) for job, node in house.hands.given}
    return {n: given[job.job_id] for n, job in enumerate(jobs) if job.job_id in given}


def test_where_no_node_has_a_gpu_nobody_waits_for_one(in_house: Any) -> None:
    async def test(house: House) -> None:
        jobs = await insert(house, Heavy, Heavy)
        assert await house.engine.fill("analysis") == 2
        assert places(house, jobs) == {0: ("node", False), 1: ("node", False)}
        assert house.engine.ledger.free_gpus() is None

    in_house(test, analysis_limit=2)


def test_each_gpu_goes_to_one_job_and_the_others_go_past_those_who_wait(in_house: Any) -> None:
    async def test(house: House) -> None:
        house.engine.joined("fast", gpus=1)
        jobs = await insert(house, Heavy, Heavy, Heavy, Plain, Plain)
        assert await house.engine.fill("analysis") == 3
        # The slots beside no GPU are filled first by who needs none.
        assert places(house, jobs) == {0: ("fast", True), 3: ("node", False), 4: ("node", False)}
        assert house.engine.ledger.free_gpus() == {"fast": 0}
        assert await house.engine.fill("analysis") == 0

        first = house.hands.take()
        assert await house.start(first) == 1
        assert await house.finish(first)
        assert await house.engine.fill("analysis") == 1
        assert places(house, jobs)[1] == ("fast", True)
        assert await house.state(jobs[2]) == "available"

    in_house(test, analysis_limit=2)


def test_a_slot_beside_a_gpu_is_used_where_no_other_is_free(in_house: Any) -> None:
    async def test(house: House) -> None:
        house.engine.ledger.remove_node("node")
        house.engine.joined("fast", gpus=1)
        jobs = await insert(house, Plain, Heavy, Plain)
        assert await house.engine.fill("analysis") == 2
        assert places(house, jobs) == {0: ("fast", False), 1: ("fast", True)}

    in_house(test, analysis_limit=2)


def test_several_gpus_of_a_node(in_house: Any) -> None:
    async def test(house: House) -> None:
        house.engine.joined("fast", gpus=2)
        jobs = await insert(house, *[Heavy] * 4)
        assert await house.engine.fill("analysis") == 2
        assert places(house, jobs) == {0: ("fast", True), 1: ("fast", True)}
        # Said again without them, as by each sign of life, it has them still.
        house.engine.heard("fast")
        assert house.engine.ledger.free_gpus() == {"fast": 0}

    in_house(test, analysis_limit=3)


def test_a_node_that_leaves_takes_its_gpus_with_it(in_house: Any) -> None:
    async def test(house: House) -> None:
        house.engine.joined("fast", gpus=1)
        jobs = await insert(house, Heavy)
        assert await house.engine.fill("analysis") == 1
        for lease in house.engine.ledger.remove_node("fast"):
            await house.engine.lost(lease.lease_id, "its Dask worker died")
        assert house.engine.ledger.free_gpus() is None
        house.engine.joined("faster", gpus=1)
        house.hands.given.clear()
        assert await house.engine.fill("analysis") == 1
        assert places(house, jobs) == {0: ("faster", True)}

    in_house(test)


def test_so_many_are_looked_at_behind_those_who_wait(in_house: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(claiming, "LOOK_BEYOND", 3)

    async def test(house: House) -> None:
        house.engine.joined("fast", gpus=1)
        jobs = await insert(house, *[Heavy] * 6, Plain, *[Heavy] * 6, Plain)
        assert await house.engine.fill("analysis") == 2
        assert places(house, jobs) == {0: ("fast", True), 6: ("node", False)}
        # The queue is not empty: each end looks again.
        assert await house.engine.fill("analysis") == 0
        done = house.hands.given.pop()[0]
        await house.start(done)
        await house.finish(done)
        assert house.engine.wake["analysis"].is_set()

    in_house(test, analysis_limit=2)


def test_chunks_beside_gpus(in_house: Any) -> None:
    async def test(house: House) -> None:
        house.engine.joined("fast", gpus=1)
        jobs = await insert(house, Heavy, *[Tiny] * 6)
        assert await house.engine.fill("analysis") == 7
        assert places(house, jobs)[0] == ("fast", True)
        assert sorted(map(len, house.hands.tasks)) == [1, 2, 2, 2]

    in_house(test, analysis_limit=2)
