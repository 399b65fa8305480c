"""New jobs that find slots free are claimed as they are noted; whoever came before them still goes first."""

from __future__ import annotations

from typing import Any

import pytest

from soundforge_nb.errors import StoreError
from soundforge_nb.jobs.job import Completed
from soundforge_nb.jobs.kind import Kind
from soundforge_nb.lifecycle.identifiers import new_id
from soundforge_nb.store.faults import FULL
from tests.jobs.conftest import Heavy, House, Plain


async def insert(house: House, count: int, kind: Kind | None = None, **options: Any) -> list[str]:
    ids = [new_id() for _ in range(count)]
    like = (kind or Plain()).new({}, job_id=ids[0], **options)
    await house.engine.insert_alike(like, ids, [{"n": n} for n in range(count)])
    return ids


async def states(house: House, ids: list[str]) -> list[str]:
    rows = await house.sql("SELECT job_id::VARCHAR AS id, state FROM jobs")
    found = {row["id"]: row["state"] for row in rows}
    return [found[job_id] for job_id in ids]


def given(house: House) -> list[str]:
    return [job.job_id for job, _ in house.hands.given]


def test_an_idle_queue_s_slots_take_them_at_once_and_the_others_wait(in_house: Any) -> None:
    async def test(house: House) -> None:
        assert await house.engine.fill("analysis") == 0
        ids = await insert(house, 5)
        assert given(house) == ids[:2]
        assert [job.args for job, _ in house.hands.given] == [{"n": 0}, {"n": 1}]
        assert await states(house, ids) == ["executing"] * 2 + ["available"] * 3
        assert house.told_of(house.hands.given[0][0]) == ["available"]
        for expected in (ids[2:3], ids[3:4]):
            job = house.hands.take()
            assert await house.start(job) == 1
            assert await house.finish(job, Completed({"n": 1}))
            assert await house.engine.fill("analysis") == 1
            assert given(house)[-1:] == expected

    in_house(test, analysis_limit=2)


def test_the_others_are_seen_before_the_table_was_told_of_them(in_house: Any) -> None:
    async def test(house: House) -> None:
        assert await house.engine.fill("analysis") == 0
        ids = await insert(house, 3)
        house.engine.ledger.add_node("other")
        assert await house.engine.fill("analysis") == 1
        assert given(house) == ids

    in_house(test, analysis_limit=2)


def test_whoever_waits_already_goes_first(in_house: Any) -> None:
    async def test(house: House) -> None:
        # A fresh queue does not know yet that the table holds nothing.
        ids = await insert(house, 1)
        assert given(house) == []
        assert await house.engine.fill("analysis") == 1
        urgent = await insert(house, 2, priority=0)
        waiting = await insert(house, 2)
        assert given(house) == [*ids, urgent[0]]
        job = house.hands.given[0][0]
        await house.start(job)
        await house.finish(job)
        await insert(house, 1, priority=1)
        assert await house.engine.fill("analysis") == 1
        assert given(house)[-1] == urgent[1]
        assert await states(house, waiting) == ["available"] * 2

    in_house(test, analysis_limit=2)


@pytest.mark.parametrize("why", ["paused", "draining", "no slot", "later", "gpu"])
def test_nothing_is_claimed_that_must_not_be(in_house: Any, why: str) -> None:
    async def test(house: House) -> None:
        assert await house.engine.fill("analysis") == 0
        options: dict[str, Any] = {}
        if why == "paused":
            house.engine.ledger.paused["analysis"] = True
        elif why == "draining":
            house.engine.draining = True
        elif why == "no slot":
            house.engine.ledger.remove_node("node")
        elif why == "later":
            options["scheduled_in_seconds"] = 60.0
        else:
            house.engine.joined("node", gpus=1)
            options["kind"] = Heavy()
        ids = await insert(house, 1, **options)
        assert given(house) == []
        assert await states(house, ids) == ["scheduled" if why == "later" else "available"]

    in_house(test)


def test_a_call_that_is_made_again_inserts_and_runs_nothing_twice(in_house: Any) -> None:
    async def test(house: House) -> None:
        assert await house.engine.fill("analysis") == 0
        ids = await insert(house, 3)
        job = house.hands.take()
        await house.start(job)
        await house.finish(job)
        house.hands.given.clear()
        await house.engine.insert_alike(Plain().new({}, job_id=ids[0]), ids, [{}] * 3, again=True)
        assert await states(house, ids) == ["completed", "executing", "available"]
        await house.engine.fill("analysis")
        assert given(house) == ids[2:]

    in_house(test, analysis_limit=2)


def test_what_could_not_be_noted_holds_no_slot(in_house: Any, monkeypatch: Any) -> None:
    async def test(house: House) -> None:
        assert await house.engine.fill("analysis") == 0

        def full(*_: Any) -> None:
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as patch, pytest.raises(StoreError) as caught:
            patch.setattr(house.store._journal, "append", full)
            await insert(house, 1)
        assert caught.value.kind == FULL
        assert house.engine.ledger.leases() == []
        assert given(house) == []
        assert await house.sql("SELECT * FROM jobs") == []

    in_house(test)


@pytest.mark.parametrize("pulse", [None, 3])
def test_a_job_whose_node_left_meanwhile_is_taken_up_again(
    in_house: Any, monkeypatch: Any, pulse: int | None
) -> None:
    async def test(house: House) -> None:
        house.engine.joined("node", host="desk", pulse=pulse)
        assert await house.engine.fill("analysis") == 0
        note = house.store.note

        async def leave(*args: Any) -> None:
            await note(*args)
            house.engine.ledger.remove_node("node")

        with monkeypatch.context() as patch:
            patch.setattr(house.store, "note", leave)
            ids = await insert(house, 1)
        assert given(house) == []
        assert await states(house, ids) == ["available"]
        assert [row["rescues"] for row in await house.sql("SELECT rescues FROM jobs")] == [0]
        house.engine.joined("other")
        assert await house.engine.fill("analysis") == 1

    in_house(test)
