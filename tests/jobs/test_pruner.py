"""History has bounds: what ended long ago is forgotten, and nothing that is still needed."""

from __future__ import annotations

import dataclasses
from typing import Any

from soundforge_nb.jobs import batches, pruner
from soundforge_nb.jobs.batches import BatchInput
from soundforge_nb.jobs.job import Cancel
from soundforge_nb.jobs.pruner import Pruner
from soundforge_nb.lifecycle.identifiers import new_id

DAY = 86_400.0


def pruner_of(house: Any, **settings: Any) -> Pruner:
    config = dataclasses.replace(house.config, **settings)
    return Pruner(config, house.clock, lambda: house.store)


async def left(house: Any) -> list[str]:
    return [row["job_id"] for row in await house.sql("SELECT job_id::VARCHAR AS job_id FROM jobs ORDER BY 1")]


async def finished_batch(house: Any) -> tuple[str, Any]:
    batch_id = new_id()
    job = await house.insert(batch_id=batch_id)
    inputs = [BatchInput(0, "a.wav", job_id=job.job_id)]
    now = house.clock.now()
    await house.store.write(
        "test", lambda session: batches.insert_batch(session, batch_id, {}, None, inputs, now)
    )
    await house.run()
    await house.store.write("test", lambda session: batches.finish_batch(session, batch_id, now))
    return batch_id, job


def test_what_ended_long_ago_is_forgotten_with_its_attempts(in_house: Any) -> None:
    async def test(house: Any) -> None:
        await house.insert()
        await house.run()
        cancelled = await house.insert()
        await house.engine.cancel([cancelled.job_id], "no more")
        house.clock.advance(20 * DAY)
        recent = await house.insert()
        await house.run()
        waiting = await house.insert()
        house.clock.advance(20 * DAY)

        assert await pruner_of(house, prune_after_days=30.0).prune() == 2
        assert await left(house) == sorted([recent.job_id, waiting.job_id])
        assert [row["n"] for row in await house.sql("SELECT count(*) AS n FROM attempts")] == [1]

    in_house(test)


def test_an_unfinished_job_stays_whatever_its_age(in_house: Any) -> None:
    async def test(house: Any) -> None:
        running = await house.running()
        waiting = await house.insert(scheduled_in_seconds=1000 * DAY)
        house.clock.advance(500 * DAY)
        assert await pruner_of(house, prune_after_days=1.0, prune_keep_jobs=1).prune() == 0
        assert await left(house) == sorted([running.job_id, waiting.job_id])

    in_house(test)


def test_of_each_state_the_last_ones_are_kept(in_house: Any) -> None:
    async def test(house: Any) -> None:
        done = []
        for _ in range(5):
            done.append(await house.insert())
            await house.run()
            house.clock.advance(1)
        ended = await house.running()
        await house.finish(ended, Cancel("enough"))
        assert await pruner_of(house, prune_keep_jobs=2).prune() == 3
        assert await left(house) == sorted([done[3].job_id, done[4].job_id, ended.job_id])

    in_house(test)


def test_without_limits_everything_stays(in_house: Any) -> None:
    async def test(house: Any) -> None:
        await house.insert()
        await house.run()
        house.clock.advance(10_000 * DAY)
        assert await pruner_of(house, prune_after_days=0.0, prune_keep_jobs=0).prune() == 0

    in_house(test)


def test_a_job_outlives_those_that_waited_for_it(in_house: Any) -> None:
    async def test(house: Any) -> None:
        parent = await house.insert()
        child = await house.insert(parents=(parent.job_id,), scheduled_in_seconds=40 * DAY)
        await house.run()
        house.clock.advance(35 * DAY)
        prune = pruner_of(house, prune_after_days=30.0).prune
        # The parent is old enough, but its result is still wanted.
        assert await prune() == 0
        house.clock.advance(10 * DAY)
        job = await house.run()
        assert (job.job_id, list(job.parents)) == (child.job_id, [parent.job_id])
        house.clock.advance(31 * DAY)
        assert await prune() == 2
        assert await house.sql("SELECT * FROM job_parents") == []

    in_house(test)


def test_a_batch_keeps_its_account_until_it_goes_as_a_whole(in_house: Any) -> None:
    async def test(house: Any) -> None:
        old, _ = await finished_batch(house)
        house.clock.advance(40 * DAY)
        young, kept = await finished_batch(house)
        # A job of an old batch, that a young one counts on too.
        assert await pruner_of(house, prune_after_days=30.0).prune() == 1
        assert await left(house) == [kept.job_id]
        rows = await house.sql("SELECT batch_id::VARCHAR AS batch_id FROM batches")
        assert [row["batch_id"] for row in rows] == [young]
        assert old not in {
            row["batch_id"]
            for row in await house.sql("SELECT batch_id::VARCHAR AS batch_id FROM batch_inputs")
        }

    in_house(test)


def test_many_are_forgotten_step_by_step(in_house: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(pruner, "STEP", 2)

    async def test(house: Any) -> None:
        for _ in range(5):
            await house.insert()
            await house.run()
        house.clock.advance(100 * DAY)
        assert await pruner_of(house, prune_after_days=90.0).prune() == 5
        assert await left(house) == []

    in_house(test)
