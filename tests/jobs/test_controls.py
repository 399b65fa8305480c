"""Pausing, resuming and scaling queues: at once, and for good."""

from __future__ import annotations

from typing import Any

import pytest

from soundforge_nb.errors import UsageError
from soundforge_nb.jobs.job import Retry
from soundforge_nb.jobs.ledger import Ledger


def test_a_paused_queue_starts_nothing_and_a_resumed_one_goes_on(in_house: Any) -> None:
    async def test(house: Any) -> None:
        controls = house.engine.controls
        running = await house.running()
        assert await controls.pause("analysis")
        assert not await controls.pause("analysis")
        waiting = await house.insert()
        assert await house.engine.fill("analysis") == 0
        # What runs goes on to its end.
        assert await house.finish(running)
        assert await house.engine.fill("analysis") == 0
        house.engine.wake["analysis"].clear()
        assert await controls.resume("analysis")
        assert house.engine.wake["analysis"].is_set()
        assert (await house.claim()).job_id == waiting.job_id

    in_house(test)


def test_other_queues_do_not_mind(in_house: Any) -> None:
    async def test(house: Any) -> None:
        await house.engine.controls.pause("processing")
        await house.insert()
        assert await house.engine.fill("analysis") == 1

    in_house(test)


def test_what_was_set_is_found_by_the_next_application(in_house: Any) -> None:
    async def test(house: Any) -> None:
        await house.engine.controls.pause("analysis")
        await house.engine.controls.scale("processing", 5, 7)
        engine = house.new_engine()
        await engine.reconcile()
        assert engine.controls.as_json("analysis") == {
            "queue": "analysis",
            "limit": 2,
            "global_limit": None,
            "paused": True,
        }
        assert engine.controls.as_json("processing") == {
            "queue": "processing",
            "limit": 5,
            "global_limit": 7,
            "paused": False,
        }
        assert engine.ledger.free_slots("analysis") == []
        # The nodes learn of it too.
        assert house.hands.limits[-1] == {"download": 3, "processing": 5, "analysis": 2}

    in_house(test)


def test_a_scaled_queue_takes_more_and_then_fewer(in_house: Any) -> None:
    async def test(house: Any) -> None:
        for _ in range(6):
            await house.insert()
        assert await house.engine.fill("analysis") == 2
        await house.engine.controls.scale("analysis", 4, None)
        assert await house.engine.fill("analysis") == 2
        await house.engine.controls.scale("analysis", 1, None)
        # Nobody is turned out: it fills again when fewer than that run.
        for _ in range(3):
            job = house.hands.take()
            await house.start(job)
            await house.finish(job)
            assert await house.engine.fill("analysis") == 0
        job = house.hands.take()
        await house.start(job)
        await house.finish(job)
        assert await house.engine.fill("analysis") == 1
        # Without a limit of its own it has that of the settings again.
        await house.engine.controls.scale("analysis", None, None)
        assert house.engine.ledger.limits["analysis"] == 2

    in_house(test)


def test_a_global_limit_counts_over_all_nodes() -> None:
    ledger = Ledger({"analysis": 2})
    ledger.add_node("first")
    ledger.add_node("second")
    assert len(ledger.free_slots("analysis")) == 4
    ledger.global_limits["analysis"] = 3
    assert ledger.free_slots("analysis") == ["first", "second", "first"]


@pytest.mark.parametrize(
    ("queue", "limit", "says"),
    [
        ("analysis", -1, "can't be -1"),
        ("analysis", True, "can't be True"),
        ("analysis", "4", "can't be '4'"),
        ("analysis", 28, "Give 27 or fewer"),
        ("mixing", 2, "no queue named 'mixing'"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_sentence(in_house: Any, queue: str, limit: Any, says: str) -> None:
    async def test(house: Any) -> None:
        with pytest.raises(UsageError, match=says):
            await house.engine.controls.scale(queue, limit, None)
        assert await house.settings() == []

    in_house(test)


def test_a_change_is_told(in_house: Any) -> None:
    async def test(house: Any) -> None:
        told: list[dict[str, Any]] = []
        house.pubsub.subscribe("queues", lambda message: told.append(message.body))
        await house.engine.controls.scale("analysis", 3, None)
        await house.engine.controls.pause("analysis")
        assert [(body["limit"], body["paused"]) for body in told] == [(3, False), (3, True)]

    in_house(test)


def test_run_now_lets_jobs_wait_no_more(in_house: Any) -> None:
    async def test(house: Any) -> None:
        scheduled = await house.insert(scheduled_in_seconds=3600)
        failed = await house.running()
        await house.finish(failed, Retry({"message": "not yet"}))
        done = await house.running()
        await house.finish(done)
        assert await house.states(scheduled, failed, done) == ["scheduled", "retryable", "completed"]
        jobs = [scheduled.job_id, failed.job_id, done.job_id]
        assert await house.engine.run_now(jobs) == 2
        assert await house.states(scheduled, failed, done) == ["available", "available", "completed"]
        assert await house.engine.fill("analysis") == 2
        assert await house.engine.run_now(jobs) == 0

    in_house(test)


def test_run_now_does_not_let_a_child_overtake_its_parent(in_house: Any) -> None:
    async def test(house: Any) -> None:
        parent = await house.insert()
        child = await house.insert(parents=(parent.job_id,), scheduled_in_seconds=3600)
        assert await house.engine.run_now([child.job_id]) == 1
        assert await house.state(child) == "scheduled"
        await house.run()
        # Its time would have been in an hour.
        assert await house.state(child) == "available"

    in_house(test)


def test_a_limit_that_is_not_spoken_of_stays(in_house: Any) -> None:
    async def test(house: Any) -> None:
        controls = house.engine.controls
        await controls.scale("analysis", 4, 9)
        # As a dashboard does it.
        await controls.scale("analysis", 5)
        assert controls.as_json("analysis")["global_limit"] == 9
        await controls.scale("analysis", global_limit=None)
        assert (controls["analysis"].limit, controls["analysis"].global_limit) == (5, None)
        await controls.scale("analysis", None)
        assert controls.as_json("analysis")["limit"] == 2

    in_house(test)
