"""The counts are those of the table, whatever happened in between."""

from __future__ import annotations

import asyncio
import random
from typing import Any

from soundforge_nb.jobs.job import Cancel, Completed, Discard, Retry
from soundforge_nb.jobs.verdict import plain_error

FAULT = plain_error("It fell.")


async def truth(house: Any) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for row in await house.sql("SELECT queue, state, count(*)::INTEGER AS n FROM jobs GROUP BY ALL"):
        found.setdefault(row["queue"], {})[row["state"]] = row["n"]
    return found


def test_they_follow_every_way_a_job_can_go(in_house: Any) -> None:
    async def test(house: Any) -> None:
        engine, chance = house.engine, random.Random(3)
        jobs = []
        for step in range(60):
            parent = chance.choice(jobs).job_id if jobs and chance.random() < 0.2 else None
            jobs.append(await house.insert(parents=(parent,) if parent else ()))
            await engine.fill("analysis")
            for lease in engine.ledger.leases():
                outcome = chance.choice([Completed(), Retry(FAULT), Cancel("no"), Discard(FAULT), None])
                if outcome is not None:
                    await house.start(lease.job)
                    await house.finish(lease.job, outcome)
            if chance.random() < 0.2:
                await engine.cancel([chance.choice(jobs).job_id], "no")
            if chance.random() < 0.2:
                await engine.retry([chance.choice(jobs).job_id])
            house.clock.advance(5)
            if step % 3 == 0:
                assert await engine.counting.read() == await truth(house)
        assert await engine.counting.read() == await truth(house)

    in_house(test)


def test_what_ends_while_they_are_counted_is_counted_once(in_house: Any) -> None:
    async def test(house: Any) -> None:
        for _ in range(40):
            job = await house.running()
            house.engine.counting.forget()
            await asyncio.gather(house.finish(job), house.engine.counting.read())
            assert await house.engine.counting.read() == await truth(house)

    in_house(test)


def test_finished_jobs_are_not_counted_each_time(in_house: Any) -> None:
    async def test(house: Any) -> None:
        await house.insert()
        await house.run()
        assert await house.engine.counting.read() == {"analysis": {"completed": 1}}
        # A row that nobody was told of: only a new count would find it.
        await house.store.write(
            "test",
            lambda session: session.execute("UPDATE jobs SET state = 'discarded'"),
        )
        assert await house.engine.counting.read() == {"analysis": {"completed": 1}}
        house.engine.counting.forget()
        assert await house.engine.counting.read() == {"analysis": {"discarded": 1}}

    in_house(test)
