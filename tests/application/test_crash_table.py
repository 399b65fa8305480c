"""The crash table: one child is killed alone, the others go on, and work resumes from the store."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from soundforge_nb.application.application import Application
from soundforge_nb.config import Config
from soundforge_nb.errors import StoreError
from soundforge_nb.jobs import table
from soundforge_nb.jobs.claiming import Claim
from soundforge_nb.jobs.folding import Start
from soundforge_nb.jobs.job import Completed, Job
from soundforge_nb.jobs.kind import Kind, Kinds
from soundforge_nb.jobs.ledger import Lease
from soundforge_nb.lifecycle.pubsub import Published

CHILDREN = [
    "telemetry", "store", "pubsub", "token refresher", "queue:download", "queue:processing",
    "queue:analysis", "link keeper", "lifeline", "pruner", "janitor", "endpoint",
]  # fmt: skip


class Plain(Kind):
    name = "plain"
    queue = "analysis"


class AtOnce:
    """A dispatch whose node runs every job at once, unless it is told to hold them."""

    def __init__(self, application: Application) -> None:
        self._engine = application.engine
        self.held: list[Job] = []
        self.hold = False
        self._tasks: list[asyncio.Task[None]] = []

    def submit(self, claims: Sequence[Claim]) -> None:
        for claim in claims:
            for job in claim.jobs:
                if self.hold:
                    self.held.append(job)
                else:
                    self._tasks.append(asyncio.create_task(self.run(job)))

    async def run(self, job: Job) -> None:
        if await self._engine.started(Start(job.job_id, job.lease_id, "node", "host")) is not None:
            await self._engine.finished(job.lease_id, Completed({"done": True}))

    async def cancel(self, lease: Lease, reason: str) -> None: ...

    async def set_limits(self, limits: Mapping[str, int]) -> None: ...


class House:
    def __init__(self, folder: Path) -> None:
        self.heard: list[Published] = []
        self.application = Application(
            Config(data_folder=folder), Kinds([Plain()]), outbound=self.heard.append
        )
        self.dispatch = AtOnce(self.application)

    async def insert(self) -> str:
        job = Plain().new({})
        await self.application.engine.insert([job])
        return job.job_id

    async def until(self, fits: Callable[[], Awaitable[bool]]) -> None:
        async with asyncio.timeout(30):
            while not await fits():
                await asyncio.sleep(0.005)

    async def until_completed(self, job_id: str) -> None:
        async def completed() -> bool:
            try:
                read = self.application.store.read
                rows = await read("test", lambda session: table.get_jobs(session, [job_id]))
            except StoreError:
                # What the store is asked while it is away fails, and is asked again.
                return False
            return bool(rows) and rows[0]["state"] == "completed"

        await self.until(completed)

    def child(self, name: str) -> dict[str, Any]:
        return next(c for c in self.application.supervisor.which_children() if c["name"] == name)

    async def kill(self, name: str) -> None:
        """Kill a child and wait until it runs again."""
        restarts = self.child(name)["restarts"]
        self.application.supervisor.kill(name, RuntimeError("killed by the test"))

        async def restarted() -> bool:
            return self.child(name)["restarts"] == restarts + 1 and self.child(name)["state"] == "running"

        await self.until(restarted)


@pytest.fixture
def in_house(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Callable[..., None]:
    caplog.set_level(logging.CRITICAL + 1, "soundforge_nb")

    def run(test: Callable[[House], Awaitable[None]]) -> None:
        async def live() -> None:
            house = House(tmp_path)
            await house.application.start(house.dispatch)
            house.application.ledger.add_node("node")
            try:
                async with asyncio.timeout(60):
                    await test(house)
            finally:
                await house.application.stop()

        asyncio.run(live())

    return run


def test_the_table_is_whole(in_house: Any) -> None:
    async def test(house: House) -> None:
        children = house.application.supervisor.which_children()
        assert [child["name"] for child in children] == CHILDREN
        assert {child["state"] for child in children} == {"running"}

    in_house(test)


@pytest.mark.parametrize("name", CHILDREN)
def test_a_child_that_crashes_is_restarted_alone_and_jobs_go_on(in_house: Any, name: str) -> None:
    async def test(house: House) -> None:
        await house.until_completed(await house.insert())
        await house.kill(name)
        assert "killed by the test" in house.child(name)["last_reason"]
        restarts = {c["name"]: c["restarts"] for c in house.application.supervisor.which_children()}
        assert restarts == dict.fromkeys(CHILDREN, 0) | {name: 1}
        assert house.application.supervisor.healthy
        await house.until_completed(await house.insert())

    in_house(test)


def test_store_what_ran_is_recorded_when_it_is_back(in_house: Any) -> None:
    async def test(house: House) -> None:
        house.dispatch.hold = True
        job_id = await house.insert()
        engine = house.application.engine

        async def handed_over() -> bool:
            return bool(house.dispatch.held)

        await house.until(handed_over)
        job = house.dispatch.held.pop()
        assert await engine.started(Start(job.job_id, job.lease_id, "node", "host")) == 1
        house.application.supervisor.kill("store", RuntimeError("killed by the test"))
        # Its end comes while there is no store: it is recorded when there is one again.
        assert await engine.finished(job.lease_id, Completed({"done": True}))
        await house.until_completed(job_id)
        assert house.child("store")["restarts"] == 1
        attempts = await house.application.store.read(
            "test", lambda session: session.dicts("SELECT outcome FROM attempts")
        )
        assert attempts == [{"outcome": "completed"}]

    in_house(test)


def test_pubsub_numbers_go_on_so_that_followers_notice_what_they_missed(in_house: Any) -> None:
    async def test(house: House) -> None:
        await house.until_completed(await house.insert())
        before = house.heard[-1].sequence
        await house.kill("pubsub")
        await house.until_completed(await house.insert())
        sequences = [message.sequence for message in house.heard]
        assert sequences[-1] > before
        assert sequences == sorted(set(sequences))

    in_house(test)


def test_queue_what_waits_meanwhile_is_handed_over_by_its_successor(in_house: Any) -> None:
    async def test(house: House) -> None:
        house.application.supervisor.kill("queue:analysis", RuntimeError("killed by the test"))
        # Inserted before the loop had a chance to notice that it is dead.
        await house.until_completed(await house.insert())
        assert house.child("queue:analysis")["restarts"] == 1

    in_house(test)


def test_endpoint_is_shut_while_it_is_away(in_house: Any) -> None:
    async def test(house: House) -> None:
        doors: list[bool] = []
        real = house.application.__class__.__setattr__

        class Watched(Application):
            def __setattr__(self, name: str, value: Any) -> None:
                if name == "open":
                    doors.append(value)
                real(self, name, value)

        house.application.__class__ = Watched
        await house.kill("endpoint")
        assert doors == [False, True]

    in_house(test)


def test_telemetry_leaves_a_gap_and_not_a_blank(in_house: Any) -> None:
    async def test(house: House) -> None:
        await house.until_completed(await house.insert())
        house.application.history.tick(1.0)

        def points() -> int:
            return sum(
                len(curve["points"])
                for metric in house.application.history.curves()["metrics"]
                for curve in metric["curves"]
            )

        before = points()
        assert before
        await house.kill("telemetry")
        assert points() >= before
        await house.until_completed(await house.insert())
        counted = {row["metric"]: row["count"] for row in house.application.metrics.summary()}
        assert counted["job.start.count"] >= 1

    in_house(test)


def test_too_many_crashes_end_all_of_it_loudly_and_in_order(tmp_path: Path, caplog: Any) -> None:
    caplog.set_level(logging.CRITICAL + 1, "soundforge_nb")

    async def live() -> None:
        house = House(tmp_path)
        await house.application.start(house.dispatch)
        with pytest.raises(Exception, match="lifeline crashed more than 3 times"):
            async with asyncio.timeout(30):
                for _ in range(3):
                    await house.kill("lifeline")
                house.application.supervisor.kill("lifeline", RuntimeError("once too often"))
                await house.application.supervisor.wait()
        assert not house.application.open
        assert {c["state"] for c in house.application.supervisor.which_children()} == {"stopped"}
        with pytest.raises(StoreError):
            await house.insert()

    asyncio.run(live())
