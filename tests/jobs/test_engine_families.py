"""Parents and children, and jobs that are tried again."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from soundforge_nb.jobs.batches import BatchInput, account, add_error, get_batch, insert_batch
from soundforge_nb.jobs.job import Completed, Discard
from soundforge_nb.jobs.verdict import plain_error
from soundforge_nb.lifecycle.identifiers import new_id

FAULT = plain_error("The file is broken.", "not_audio")


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "soundforge_nb")


def test_a_child_waits_and_gets_its_parents_results(in_house: Any) -> None:
    async def test(house: Any) -> None:
        one, two = await house.insert(), await house.insert()
        child = await house.insert(parents=(one.job_id, two.job_id, two.job_id), priority=0)
        assert (await house.row(child))["waits_for"] == 2
        await house.run(Completed({"stems": ["vocals"]}))
        assert await house.state(child) == "scheduled"
        await house.run(Completed({"stems": ["drums"]}))
        claimed = await house.claim()
        assert claimed.job_id == child.job_id
        assert claimed.parents == {one.job_id: {"stems": ["vocals"]}, two.job_id: {"stems": ["drums"]}}

    in_house(test, analysis_limit=1)


def test_a_child_of_what_completed_long_ago_does_not_wait(in_house: Any) -> None:
    async def test(house: Any) -> None:
        parent = await house.insert()
        await house.run(Completed({"a": 1}))
        await house.insert(parents=(parent.job_id,))
        assert (await house.claim()).parents == {parent.job_id: {"a": 1}}

    in_house(test)


def test_a_parent_and_its_child_may_come_together_with_a_time(in_house: Any) -> None:
    async def test(house: Any) -> None:
        parent = await house.insert()
        child = await house.insert(parents=(parent.job_id,), scheduled_in_seconds=30.0)
        await house.run()
        assert await house.engine.fill("analysis") == 0
        house.clock.advance(30)
        assert (await house.claim()).job_id == child.job_id

    in_house(test)


def test_a_discarded_parent_cancels_all_that_follows_and_tells_of_it(in_house: Any) -> None:
    async def test(house: Any) -> None:
        parent = await house.insert()
        child = await house.insert(parents=(parent.job_id,))
        grandchild = await house.insert(parents=(child.job_id,), batch_id=None)
        other = await house.insert()
        await house.run(Discard(FAULT))
        assert await house.states(parent, child, grandchild, other) == [
            "discarded",
            "cancelled",
            "cancelled",
            "available",
        ]
        for job in (child, grandchild):
            row = await house.row(job)
            assert row["message"] == "What it waited for did not complete: The file is broken."
            assert (row["error"]["kind"], row["error"]["message"]) == ("parent_ended", row["message"])
            assert house.told_of(job) == ["scheduled", "cancelled"]
        assert [body["job_id"] for body in house.told[-3:]] == [
            parent.job_id,
            child.job_id,
            grandchild.job_id,
        ]

    in_house(test, analysis_limit=1)


@pytest.mark.parametrize("running", [False, True])
def test_a_cancelled_parent_takes_its_children_with_it(in_house: Any, running: bool) -> None:
    async def test(house: Any) -> None:
        parent = await house.insert()
        claimed = await house.claim() if running else None
        child = await house.insert(parents=(parent.job_id,))
        await house.engine.cancel([parent.job_id], "not wanted")
        if claimed is not None:
            # It may still be too late for the cancel; its children wait for its word.
            assert await house.state(child) == "scheduled"
            await house.finish(claimed)
        assert await house.states(parent, child) == ["cancelled", "cancelled"]
        row = await house.row(child)
        assert (row["error"]["kind"], row["message"]) == (
            "parent_ended",
            "What it waited for did not complete: not wanted",
        )

    in_house(test)


def test_a_child_of_what_is_dead_already_is_cancelled_with_it(in_house: Any) -> None:
    async def test(house: Any) -> None:
        parent = await house.insert()
        await house.run(Discard(FAULT))
        child = await house.insert(parents=(parent.job_id,))
        assert await house.state(child) == "cancelled"

    in_house(test)


def test_a_parent_tried_again_takes_its_cancelled_children_with_it(in_house: Any) -> None:
    async def test(house: Any) -> None:
        parent = await house.insert()
        child = await house.insert(parents=(parent.job_id,))
        grandchild = await house.insert(parents=(child.job_id,))
        await house.run(Discard(FAULT))
        assert await house.engine.retry([parent.job_id]) == 3
        assert await house.states(parent, child, grandchild) == ["available", "scheduled", "scheduled"]
        assert house.told_of(child)[-1] == "scheduled"
        order = [(await house.run(Completed({"n": n}))).job_id for n in range(3)]
        assert order == [parent.job_id, child.job_id, grandchild.job_id]

    in_house(test)


def test_a_child_tried_again_takes_its_dead_parents_with_it(in_house: Any) -> None:
    async def test(house: Any) -> None:
        parent, fine = await house.insert(), await house.insert()
        child = await house.insert(parents=(parent.job_id, fine.job_id))
        sibling = await house.insert(parents=(parent.job_id,))
        await house.run(Discard(FAULT))
        await house.run()
        assert await house.engine.retry([child.job_id]) == 3
        assert await house.states(parent, child, sibling) == ["available", "scheduled", "scheduled"]
        await house.run()
        assert {(await house.run()).job_id for _ in range(2)} == {child.job_id, sibling.job_id}

    in_house(test, analysis_limit=1)


def test_both_tried_again_together_run_in_order(in_house: Any) -> None:
    async def test(house: Any) -> None:
        parent = await house.insert()
        child = await house.insert(parents=(parent.job_id,))
        await house.run(Discard(FAULT))
        assert await house.engine.retry([child.job_id, parent.job_id]) == 2
        assert await house.engine.fill("analysis") == 1

    in_house(test)


def test_a_child_that_a_person_cancelled_is_not_brought_back_by_its_parent(in_house: Any) -> None:
    async def test(house: Any) -> None:
        parent = await house.insert()
        child = await house.insert(parents=(parent.job_id,))
        await house.engine.cancel([child.job_id], "not wanted")
        await house.run(Discard(FAULT))
        assert await house.engine.retry([parent.job_id]) == 1
        await house.run()
        # Asked for by itself it finds its parent done, though it had not heard of it.
        assert await house.engine.retry([child.job_id]) == 1
        assert await house.state(child) == "available"
        assert (await house.claim()).job_id == child.job_id

    in_house(test)


def test_a_retried_job_has_one_more_attempt_and_a_clean_slate(in_house: Any) -> None:
    async def test(house: Any) -> None:
        job = await house.insert()
        done = await house.insert(priority=9)
        await house.run(Discard(FAULT))
        await house.run()
        assert await house.engine.retry([job.job_id, done.job_id]) == 1
        row = await house.row(job)
        assert (row["state"], row["error"], row["message"]) == ("available", None, "")
        assert (row["discarded_at"], row["cancelled_at"]) == (None, None)
        assert (row["attempt"], row["max_attempts"]) == (1, 2)
        await house.run(Discard(FAULT))
        assert len(await house.attempts(job)) == 2
        assert await house.engine.retry([new_id()]) == 0

    in_house(test, analysis_limit=1)


# -- batches --------------------------------------------------------------------------------------


async def batch_of(house: Any, *inputs: BatchInput, output: str | None = None) -> str:
    batch_id = new_id()
    now = house.clock.now()
    await house.store.write(
        "batch", lambda session: insert_batch(session, batch_id, {"a": 1}, output, inputs, now)
    )
    return batch_id


async def mark_finished(house: Any, batch_id: str) -> bool:
    from soundforge_nb.jobs.batches import finish_batch

    now = house.clock.now()
    return bool(await house.store.write("finish", lambda session: finish_batch(session, batch_id, now)))


def test_a_batch_accounts_for_every_input(in_house: Any) -> None:
    async def test(house: Any) -> None:
        job = await house.insert()
        batch_id = await batch_of(
            house,
            BatchInput(0, "a.wav", new_id(), "separate", job.job_id),
            BatchInput(0, "a.wav", new_id(), "analyze", reused=True),
            BatchInput(1, "bad\udcff\n.wav", error={"message": "Not audio."}),
        )
        rows = await house.store.read("account", lambda session: account(session, batch_id))
        assert [(row["position"], row["step"], row["state"], row["reused"]) for row in rows] == [
            (0, "analyze", None, True),
            (0, "separate", "available", False),
            (1, None, None, False),
        ]
        assert rows[2]["name"] == "bad\\udcff\n.wav"
        assert rows[2]["error"] == {"message": "Not audio."}
        batch = await house.store.read("batch", lambda session: get_batch(session, batch_id))
        assert (batch["state"], batch["options"], batch["finished_at"]) == ("running", {"a": 1}, None)
        assert await house.store.read("batch", lambda session: get_batch(session, new_id())) is None

    in_house(test)


def test_a_batch_is_done_when_nothing_of_it_is_left_to_do(in_house: Any) -> None:
    async def test(house: Any) -> None:
        one, two = await house.insert(), await house.insert()
        batch_id = await batch_of(
            house,
            BatchInput(0, "a", step="separate", job_id=one.job_id),
            BatchInput(1, "b", step="separate", job_id=two.job_id),
        )
        other = await batch_of(house, BatchInput(0, "b", step="separate", job_id=two.job_id))
        await house.engine.finish_batch_if_done(batch_id)
        await house.run()
        await house.engine.settled()
        assert house.finished_batches == []
        await house.run(Discard(FAULT))
        await house.engine.settled()
        assert sorted(house.finished_batches) == sorted([batch_id, other])
        assert await mark_finished(house, batch_id)
        assert not await mark_finished(house, batch_id)
        house.finished_batches.clear()
        await house.engine.finish_batches(None)
        assert house.finished_batches == [other]

    in_house(test, analysis_limit=1)


def test_a_batch_with_nothing_to_do_is_done_and_looks_at_no_other(in_house: Any) -> None:
    async def test(house: Any) -> None:
        await batch_of(house, BatchInput(0, "other", reused=True))
        batch_id = await batch_of(house, BatchInput(0, "a", reused=True))
        await house.engine.finish_batch_if_done(batch_id)
        assert house.finished_batches == [batch_id]

    in_house(test)


def test_a_cancelled_follower_ends_the_batch_that_waits_for_it_alone(in_house: Any) -> None:
    async def test(house: Any) -> None:
        parent = await house.insert()
        child = await house.insert(parents=(parent.job_id,))
        batch_id = await batch_of(house, BatchInput(0, "a", step="stems", job_id=child.job_id))
        await house.run(Discard(FAULT))
        await house.engine.settled()
        assert house.finished_batches == [batch_id]

    in_house(test)


def test_a_retry_opens_the_batch_again_without_its_old_fault(in_house: Any) -> None:
    async def test(house: Any) -> None:
        job = await house.insert()
        batch_id = await batch_of(house, BatchInput(0, "a", step="separate", job_id=job.job_id))
        await house.run(Discard(FAULT))
        assert await mark_finished(house, batch_id)
        await house.store.write(
            "error", lambda session: add_error(session, batch_id, "the output folder", {"message": "full"})
        )
        assert await house.engine.retry([job.job_id]) == 1
        batch = await house.store.read("batch", lambda session: get_batch(session, batch_id))
        assert (batch["state"], batch["finished_at"]) == ("running", None)
        rows = await house.store.read("account", lambda session: account(session, batch_id))
        assert [row["position"] for row in rows] == [0]
        house.finished_batches.clear()
        await house.run()
        await house.engine.settled()
        assert house.finished_batches == [batch_id]

    in_house(test)


def test_a_batch_that_was_retried_meanwhile_is_not_marked_as_finished(in_house: Any) -> None:
    async def test(house: Any) -> None:
        job = await house.insert()
        batch_id = await batch_of(house, BatchInput(0, "a", step="separate", job_id=job.job_id))
        await house.run(Discard(FAULT))
        await house.engine.retry([job.job_id])
        assert not await mark_finished(house, batch_id)

    in_house(test)
