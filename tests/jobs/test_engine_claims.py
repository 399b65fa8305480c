"""From insertion to a start: order, limits, times, and the fence."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from soundforge_nb.errors import JobNotFound, StoreError
from soundforge_nb.jobs.folding import Start
from soundforge_nb.jobs.job import Completed, NewJob


def test_a_job_goes_from_insertion_to_completion(in_house: Any) -> None:
    async def test(house: Any) -> None:
        events: list[tuple[str, str]] = []
        house.telemetry.attach(
            "test",
            ["job.insert", "job.start", "job.stop"],
            lambda event, measured, metadata: events.append((event, metadata["kind"])),
        )
        job = await house.insert(args={"path": "söng"}, meta={"name": "x"}, track_id=None)
        assert await house.state(job) == "available"
        claimed = await house.claim()
        assert (claimed.job_id, claimed.args, claimed.meta) == (job.job_id, {"path": "söng"}, {"name": "x"})
        assert await house.state(job) == "executing"
        house.clock.advance(1.0)
        assert await house.start(claimed) == 1
        house.engine.progressed(claimed.lease_id, 40, "half way")
        house.clock.advance(2.0)
        assert await house.finish(claimed, Completed({"answer": 42}))
        row = await house.row(job)
        assert (row["state"], row["attempt"], row["progress"], row["result"]) == (
            "completed",
            1,
            100,
            {"answer": 42},
        )
        assert (row["completed_at"] - row["attempted_at"]).total_seconds() == 2.0
        (attempt,) = await house.attempts(job)
        assert (attempt["outcome"], attempt["host"], attempt["error"]) == ("completed", "host", None)
        assert house.told_of(job) == ["available", "executing", "executing", "completed"]
        assert events == [("job.insert", "plain"), ("job.start", "plain"), ("job.stop", "plain")]
        assert house.engine.ledger.leases() == []

    in_house(test)


def test_claims_go_by_priority_and_then_by_age(in_house: Any) -> None:
    async def test(house: Any) -> None:
        late = await house.insert(priority=9)
        first, second = await house.insert(priority=5), await house.insert(priority=5)
        urgent = await house.insert(priority=0)
        order = [(await house.run()).job_id for _ in range(4)]
        assert order == [job.job_id for job in (urgent, first, second, late)]

    in_house(test, analysis_limit=1)


def test_each_node_has_its_own_limit(in_house: Any) -> None:
    async def test(house: Any) -> None:
        house.engine.ledger.add_node("other")
        for _ in range(6):
            await house.insert()
        assert await house.engine.fill("analysis") == 4
        assert sorted(node for _, node in house.hands.given) == ["node", "node", "other", "other"]
        assert await house.engine.fill("analysis") == 0
        job, node = house.hands.given[0]
        await house.start(job)
        await house.finish(job)
        assert await house.engine.fill("analysis") == 1
        assert house.hands.given[-1][1] == node

    in_house(test, analysis_limit=2)


def test_queues_do_not_take_from_each_other(in_house: Any) -> None:
    async def test(house: Any) -> None:
        await house.engine.insert([NewJob("plain", "processing", {}, 2)])
        assert await house.engine.fill("analysis") == 0
        assert await house.engine.fill("processing") == 1

    in_house(test)


def test_two_fills_at_once_keep_to_the_limit(in_house: Any) -> None:
    async def test(house: Any) -> None:
        for _ in range(6):
            await house.insert()
        assert sorted(await asyncio.gather(*(house.engine.fill("analysis") for _ in range(3)))) == [0, 0, 2]

    in_house(test, analysis_limit=2)


def test_a_claim_is_handed_over_though_its_queue_was_killed(in_house: Any) -> None:
    async def test(house: Any) -> None:
        await house.insert()
        filling = asyncio.create_task(house.engine.fill("analysis"))
        await asyncio.sleep(0)
        filling.cancel()
        await asyncio.wait([filling])
        await house.engine.settled()
        assert len(house.hands.given) == 1

    in_house(test)


def test_nothing_is_handed_out_while_draining(in_house: Any) -> None:
    async def test(house: Any) -> None:
        await house.insert()
        house.engine.draining = True
        assert await house.engine.fill("analysis") == 0

    in_house(test)


def test_a_job_that_can_not_be_handed_over_is_taken_up_when_its_lease_is_out(
    in_house: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def test(house: Any) -> None:
        job = await house.insert()
        house.hands.error = RuntimeError("no client")
        with caplog.at_level(logging.CRITICAL):
            assert await house.engine.fill("analysis") == 1
        assert await house.state(job) == "executing"
        (lease,) = house.engine.ledger.leases()
        assert lease.expires == house.config.lease_seconds

    in_house(test)


def test_a_job_whose_node_left_before_the_hand_over_goes_back(in_house: Any) -> None:
    async def test(house: Any) -> None:
        job = await house.insert()
        filling = asyncio.create_task(house.engine.fill("analysis"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        house.engine.ledger.remove_node("node")
        await filling
        assert house.hands.given == []
        row = await house.row(job)
        assert (row["state"], row["attempt"], row["max_attempts"]) == ("available", 0, 2)

    in_house(test)


def test_a_scheduled_job_becomes_due_at_its_time(in_house: Any) -> None:
    async def test(house: Any) -> None:
        job = await house.insert(scheduled_in_seconds=60.0)
        assert house.told_of(job) == ["scheduled"]
        assert await house.engine.fill("analysis") == 0
        assert not house.engine.is_due("analysis")
        house.clock.advance(59.9)
        assert not house.engine.is_due("analysis")
        house.clock.advance(0.1)
        assert house.engine.is_due("analysis")
        assert (await house.claim()).job_id == job.job_id
        assert not house.engine.is_due("analysis")

    in_house(test)


def test_the_earliest_of_several_times_counts(in_house: Any) -> None:
    async def test(house: Any) -> None:
        await house.insert(scheduled_in_seconds=60.0)
        await house.insert(scheduled_in_seconds=5.0)
        await house.engine.fill("analysis")
        house.clock.advance(5.0)
        assert house.engine.is_due("analysis")
        await house.claim()
        assert not house.engine.is_due("analysis")
        house.clock.advance(55.0)
        assert house.engine.is_due("analysis")

    in_house(test)


def test_a_start_is_counted_once(in_house: Any) -> None:
    async def test(house: Any) -> None:
        await house.insert()
        job = await house.claim()
        # In one group, and one after the other.
        assert sorted(map(str, await asyncio.gather(house.start(job), house.start(job)))) == ["1", "None"]
        assert await house.start(job) is None
        assert len(await house.attempts(job)) == 1

    in_house(test)


def test_a_start_of_a_strange_lease_is_refused(in_house: Any) -> None:
    async def test(house: Any) -> None:
        job = await house.running()
        assert await house.engine.started(Start(job.job_id, job.job_id, "node", "host")) is None

    in_house(test)


def test_progress_is_bounded_and_written_from_time_to_time(in_house: Any) -> None:
    async def test(house: Any) -> None:
        job = await house.running()
        house.engine.progressed(job.lease_id, 250, "bad \udcff text")
        assert (await house.row(job))["progress"] == 0
        await house.engine.flush_progress()
        row = await house.row(job)
        assert (row["progress"], row["message"]) == (100, "bad ? text")
        house.engine.progressed("no such lease", 1, "late")

    in_house(test)


def test_a_job_can_not_wait_for_what_does_not_exist(in_house: Any) -> None:
    async def test(house: Any) -> None:
        stranger = NewJob("plain", "analysis", {}, 2)
        with pytest.raises(JobNotFound):
            await house.insert(parents=(stranger.job_id,))
        assert await house.sql("SELECT * FROM jobs") == []

    in_house(test)


def test_jobs_that_can_not_be_stored_are_refused_whole(in_house: Any) -> None:
    async def test(house: Any) -> None:
        job = NewJob("plain", "analysis", {}, 2)
        with pytest.raises(StoreError):
            await house.engine.insert([job, job])
        assert house.told == []

    in_house(test)
