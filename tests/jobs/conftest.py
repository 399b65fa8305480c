"""An engine on a real store, with a clock that tests move and a dispatch that runs nothing by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from soundforge_nb.config import Config
from soundforge_nb.jobs import table
from soundforge_nb.jobs.claiming import Claim
from soundforge_nb.jobs.engine import Engine
from soundforge_nb.jobs.folding import Start, fold
from soundforge_nb.jobs.job import Completed, Job, NewJob, Outcome
from soundforge_nb.jobs.kind import Insert, Kind, Kinds, Move, Record
from soundforge_nb.jobs.ledger import Lease, Ledger
from soundforge_nb.jobs.parts import Parts
from soundforge_nb.lifecycle.clock import ManualClock
from soundforge_nb.lifecycle.identifiers import new_id
from soundforge_nb.lifecycle.pubsub import PubSub
from soundforge_nb.lifecycle.telemetry import Telemetry
from soundforge_nb.store.store import Store

# A machine that is busy with something else makes no property false.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


SETTINGS = {"name": "VARCHAR", "value": "JSON"}


class Plain(Kind):
    """Its result says what it records: settings to write, files to move."""

    name = "plain"
    queue = "analysis"
    max_attempts = 2

    def record(self, job: Job, result: dict[str, Any], config: Config, now: datetime) -> Record:
        if result.get("raise"):
            raise ValueError(result["raise"])
        rows = tuple({"name": name, "value": "1"} for name in result.get("settings", []))
        moves = tuple(
            Move(config.staging_folder / job.lease_id / name, config.stems_folder / name)
            for name in result.get("files", [])
        )
        return Record(result=result, inserts=(Insert("settings", SETTINGS, rows),), moves=moves)

    def backoff_seconds(self, attempt: int) -> float:
        return 10.0 * attempt


class Tiny(Plain):
    """Up to three of its jobs share a Dask task."""

    name = "tiny"
    chunk = 3


class Heavy(Plain):
    """Needs a GPU to itself, where there is one."""

    name = "heavy"
    gpu = True


class Hands:
    """A dispatch that keeps what it was given, for the test to run."""

    def __init__(self) -> None:
        self.given: list[tuple[Job, str]] = []
        self.tasks: list[list[str]] = []
        self.claims: list[Claim] = []
        self.cancelled: list[tuple[str, str]] = []
        self.limits: list[dict[str, int]] = []
        self.error: Exception | None = None

    def submit(self, claims: Sequence[Claim]) -> None:
        if self.error is not None:
            raise self.error
        self.claims += claims
        self.tasks += [[job.job_id for job in claim.jobs] for claim in claims]
        self.given += [(job, claim.node) for claim in claims for job in claim.jobs]

    async def cancel(self, lease: Lease, reason: str) -> None:
        self.cancelled.append((lease.job.job_id, reason))

    async def set_limits(self, limits: Mapping[str, int]) -> None:
        self.limits.append(dict(limits))

    def take(self) -> Job:
        return self.given.pop(0)[0]


class House:
    """The engine and all it needs."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.config = Config(data_folder=folder, **settings)
        self.clock = ManualClock()
        self.telemetry = Telemetry()
        self.pubsub = PubSub()
        self.told: list[dict[str, Any]] = []
        self.pubsub.subscribe("jobs", lambda message: self.told.append(message.body))
        self.hands = Hands()
        self.finished_batches: list[str] = []
        self.store = Store(self.config.store_file, telemetry=self.telemetry, fold=fold)
        self.engine = self.new_engine()

    def new_engine(self) -> Engine:
        """An engine as a fresh application has it."""
        engine = Engine(
            Parts(
                config=self.config,
                kinds=Kinds([Plain(), Tiny(), Heavy()]),
                ledger=Ledger(self.config.limits),
                clock=self.clock,
                telemetry=self.telemetry,
                store=lambda: self.store,
                pubsub=lambda: self.pubsub,
            )
        )
        engine.dispatch = self.hands
        engine.on_batch_finished = self.finished_batches.append
        engine.ledger.add_node("node")
        return engine

    # -- a job's way, step by step ----------------------------------------------------------------

    async def insert(self, **options: Any) -> NewJob:
        # What a batch waits for was made by a batch, this one or another.
        job = Plain().new(options.pop("args", {}), **{"batch_id": new_id(), **options})
        await self.engine.insert([job])
        return job

    async def claim(self, queue: str = "analysis") -> Job:
        assert await self.engine.fill(queue) >= 1
        return self.hands.take()

    async def start(self, job: Job) -> int | None:
        return await self.engine.started(Start(job.job_id, job.lease_id, "node", "host"))

    async def running(self, **options: Any) -> Job:
        """A new job, claimed and started."""
        new = await self.insert(**options)
        job = await self.claim()
        assert job.job_id == new.job_id
        assert await self.start(job) is not None
        return job

    async def finish(self, job: Job, outcome: Outcome | None = None) -> bool:
        return await self.engine.finished(job.lease_id, outcome or Completed())

    async def run(self, outcome: Outcome | None = None) -> Job:
        """Claim one job, start it and end it."""
        job = await self.claim()
        assert await self.start(job) is not None
        assert await self.finish(job, outcome)
        return job

    # -- what stands ------------------------------------------------------------------------------

    async def row(self, job: Job | NewJob) -> dict[str, Any]:
        rows = await self.store.read("row", lambda session: table.get_jobs(session, [job.job_id]))
        return rows[0]

    async def state(self, job: Job | NewJob) -> str:
        return str((await self.row(job))["state"])

    async def states(self, *jobs: Job | NewJob) -> list[str]:
        return [await self.state(job) for job in jobs]

    async def attempts(self, job: Job | NewJob) -> list[dict[str, Any]]:
        return await self.sql(
            "SELECT attempt, dask_worker, host, started_at, ended_at, outcome, error FROM attempts"
            f" WHERE job_id = '{job.job_id}' ORDER BY attempt, started_at"
        )

    async def sql(self, text: str) -> list[dict[str, Any]]:
        return await self.store.read("test", lambda session: session.dicts(text))

    async def settings(self) -> list[str]:
        return [row["name"] for row in await self.sql("SELECT name FROM settings ORDER BY name")]

    def told_of(self, job: Job | NewJob) -> list[str]:
        return [body["state"] for body in self.told if body["job_id"] == job.job_id]


@asynccontextmanager
async def open_house(folder: Path, **settings: Any) -> AsyncIterator[House]:
    house = House(folder, **settings)
    await house.store.start()
    try:
        yield house
        await house.engine.settled()
    finally:
        await house.store.stop()


@pytest.fixture
def in_house(tmp_path: Path) -> Callable[..., None]:
    """Runs an asynchronous test, given a house of its own."""

    def run(test: Callable[[House], Awaitable[None]], **settings: Any) -> None:
        async def live() -> None:
            async with asyncio.timeout(120), open_house(tmp_path, **settings) as house:
                await test(house)

        asyncio.run(live())

    return run
