"""A new job that finds a slot free begins with its claim: where its node says how old its word is."""

from __future__ import annotations

from typing import Any

import pytest

from soundforge_nb.jobs.folding import Start
from soundforge_nb.jobs.job import Cancel, Completed, Job
from soundforge_nb.jobs.ledger import Lease
from soundforge_nb.lifecycle.identifiers import new_id
from tests.jobs.conftest import House, Plain, Tiny


async def insert(house: House, kind: Plain, pulse: int | None = 7) -> Job:
    """A new job on an idle queue of a node whose last word had that number."""
    house.engine.joined("node", host="desk", pulse=pulse)
    assert await house.engine.fill("analysis") == 0
    like = kind.new({}, job_id=new_id())
    await house.engine.insert_alike(like, [like.job_id], [{}])
    return house.hands.take()


def lease_of(house: House, job: Job) -> Lease:
    lease = house.engine.ledger.get(job.lease_id)
    assert lease is not None
    return lease


def test_its_attempt_is_committed_before_it_is_handed_over(in_house: Any, monkeypatch: Any) -> None:
    async def test(house: House) -> None:
        seen: list[Any] = []
        submit = house.hands.submit
        monkeypatch.setattr(
            house.hands, "submit", lambda claims: (seen.append(list(house.store.untold)), submit(claims))
        )
        job = await insert(house, Plain())
        assert [event["attempt"] for event in seen[0] if "attempt" in event] == [1]
        assert job.attempt == 1
        assert house.hands.claims[0].pulse == 7
        (attempt,) = await house.attempts(job)
        assert (attempt["attempt"], attempt["dask_worker"], attempt["host"]) == (1, "node", "desk")
        assert house.told_of(job) == ["available", "executing"]
        assert await house.finish(job, Completed())
        assert await house.state(job) == "completed"
        assert [row["outcome"] for row in await house.attempts(job)] == ["completed"]

    in_house(test)


def test_the_first_word_of_a_node_counts_and_each_after_it(in_house: Any) -> None:
    async def test(house: House) -> None:
        await insert(house, Plain(), pulse=1)
        house.engine.heard("node", pulse=2)
        like = Plain().new({}, job_id=new_id())
        await house.engine.insert_alike(like, [like.job_id], [{}])
        assert [claim.pulse for claim in house.hands.claims] == [1, 2]

    in_house(test, analysis_limit=2)


def test_a_node_that_gives_no_word_asks_for_the_start(in_house: Any) -> None:
    async def test(house: House) -> None:
        job = await insert(house, Plain(), pulse=None)
        assert house.hands.claims[0].pulse is None
        assert await house.attempts(job) == []
        assert await house.start(job) == 1

    in_house(test)


def test_it_begins_once(in_house: Any) -> None:
    async def test(house: House) -> None:
        job = await insert(house, Plain())
        assert await house.engine.started(Start(job.job_id, job.lease_id, "node", "desk")) is None
        assert len(await house.attempts(job)) == 1

    in_house(test)


def test_one_that_its_node_did_not_begin_has_lost_nothing(in_house: Any) -> None:
    async def test(house: House) -> None:
        job = await insert(house, Plain())
        # The machine slept on the way, say: the node found the word too old.
        assert await house.engine.lost(job.lease_id, "its start was refused", began=False)
        row = await house.row(job)
        assert (row["state"], row["rescues"], row["max_attempts"] - row["attempt"]) == ("available", 0, 2)
        assert [each["outcome"] for each in await house.attempts(job)] == ["withdrawn"]

    in_house(test)


@pytest.mark.parametrize(("kind", "outcome"), [(Plain(), "rescued"), (Tiny(), "withdrawn")])
def test_one_whose_node_died_before_it_began(in_house: Any, kind: Plain, outcome: str) -> None:
    async def test(house: House) -> None:
        job = await insert(house, kind)
        for lease in house.engine.ledger.remove_node("node"):
            await house.engine.lost(lease.lease_id, "its Dask worker died")
        assert await house.state(job) == "available"
        # Only what shares a Dask task leaves a mark; of another it is not known.
        assert [row["outcome"] for row in await house.attempts(job)] == [outcome]

    in_house(test)


def test_a_crash_after_its_commit_is_a_run_that_is_taken_up_again(in_house: Any) -> None:
    async def test(house: House) -> None:
        job = await insert(house, Plain())
        again = house.new_engine()
        assert await again.reconcile() == 1
        assert await house.state(job) == "available"
        assert [row["outcome"] for row in await house.attempts(job)] == ["rescued"]

    in_house(test)


def test_a_cancel_that_comes_before_it_begins_is_told_its_node(in_house: Any) -> None:
    async def test(house: House) -> None:
        job = await insert(house, Plain())
        assert await house.engine.cancel([job.job_id], "not now") == 1
        assert house.hands.cancelled == [(job.job_id, "not now")]
        assert lease_of(house, job).cancel_reason == "not now"
        assert await house.finish(job, Cancel("not now"))
        assert await house.state(job) == "cancelled"

    in_house(test)
