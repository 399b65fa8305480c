"""A library of a million jobs, of which a thousand wait: what claims, starts, ends and snapshots cost there.

The yardstick is the same at a thousand rows. Each figure is the median of many; the engine runs nothing.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import psutil

from tests.benchmarks.table import Measurement

FEW, MANY, WAITING, ROUNDS = 1_000, 1_000_000, 1_000, 30

_FILL = """
INSERT INTO jobs BY NAME SELECT uuidv7() AS job_id, 'noop' AS kind, 'analysis' AS queue, '{}' AS args,
    '{}' AS meta, '[]' AS tags, 5 AS priority,
    CASE WHEN n >= $finished THEN 'available' WHEN n % 50 = 0 THEN 'discarded' ELSE 'completed' END AS state,
    1 AS attempt, 3 AS max_attempts, 0 AS rescues, 100 AS progress, '' AS message, 0 AS waits_for,
    '{"n": 1}' AS result, TIMESTAMP '2026-01-01' AS inserted_at, TIMESTAMP '2026-01-01' AS scheduled_at,
    TIMESTAMP '2026-01-01' AS completed_at
FROM range($rows) AS r(n)
"""
_ATTEMPTS = """
INSERT INTO attempts BY NAME SELECT job_id, 1 AS attempt, uuid() AS lease_id, inserted_at AS started_at,
    inserted_at AS ended_at, 'completed' AS outcome FROM jobs WHERE state <> 'available'
"""


def measure(folder: Path) -> list[Measurement]:
    few = asyncio.run(_costs(folder / "few", FEW + WAITING))
    many = asyncio.run(_costs(folder / "many", MANY))
    return [
        Measurement(f"{name} at {MANY:,} rows", many[name], unit, f"at {FEW:,}", few[name])
        for name, unit in UNITS.items()
    ]


UNITS = {
    "claim of 32 jobs": "ms",
    "start of 32 jobs": "ms",
    "acknowledgement of 32 jobs": "ms",
    "snapshot for a dashboard": "ms",
    "page of a hundred jobs": "ms",
    "opening the library": "s",
    "memory of the process": "MB",
}


async def _costs(folder: Path, rows: int) -> dict[str, float]:
    from soundforge_nb.application.api import Api
    from soundforge_nb.application.application import Application
    from soundforge_nb.config import Config
    from soundforge_nb.jobs.folding import Start
    from soundforge_nb.jobs.job import Completed
    from soundforge_nb.jobs.kind import Kinds
    from tests.benchmarks.noop import Noop

    folder.mkdir(parents=True)
    config = Config(folder, analysis_limit=32, download_limit=0, processing_limit=0)
    hands = _Hands()
    filling = Application(config, Kinds([Noop()]))
    await filling.start(hands)
    await filling.store.write(
        "fill", lambda session: session.execute(_FILL, {"rows": rows, "finished": rows - WAITING})
    )
    await filling.store.write("fill", lambda session: session.execute(_ATTEMPTS))
    await filling.stop()

    began = time.perf_counter()
    application = Application(config, Kinds([Noop()]))
    await application.start(hands)
    costs = {"opening the library": time.perf_counter() - began}
    api = Api(application, lambda seconds: None)
    application.ledger.add_node("node")
    engine = application.engine
    times: dict[str, list[float]] = {name: [] for name in UNITS}

    async def timed(name: str, call: Callable[[], Awaitable[Any]]) -> None:
        began = time.perf_counter()
        await call()
        times[name].append(1e3 * (time.perf_counter() - began))

    for _ in range(ROUNDS):
        hands.given.clear()
        # The queue itself may have claimed already: what counts is one whole claim.
        await timed("claim of 32 jobs", lambda: _until(lambda: len(hands.given) == 32))
        jobs = list(hands.given)
        starts = [Start(job.job_id, job.lease_id, "node", "host") for job in jobs]
        await timed("start of 32 jobs", lambda starts=starts: asyncio.gather(*map(engine.started, starts)))
        await timed("snapshot for a dashboard", api.dashboard)
        await timed("page of a hundred jobs", api.jobs_page)
        application.ledger.paused["analysis"] = True
        await timed(
            "acknowledgement of 32 jobs",
            lambda jobs=jobs: asyncio.gather(*(engine.finished(job.lease_id, Completed({})) for job in jobs)),
        )
        application.ledger.paused["analysis"] = False
        engine.wake["analysis"].set()
    costs |= {name: statistics.median(values) for name, values in times.items() if values}
    costs["memory of the process"] = psutil.Process(os.getpid()).memory_info().rss / 1e6
    api.close()
    await application.stop()
    return costs


class _Hands:
    """A dispatch that keeps what it is given."""

    def __init__(self) -> None:
        self.given: list[Any] = []

    def submit(self, claims: Any) -> None:
        self.given += [job for claim in claims for job in claim.jobs]

    async def cancel(self, lease: Any, reason: str) -> None: ...

    async def set_limits(self, limits: Any) -> None: ...


async def _until(fits: Callable[[], bool]) -> None:
    while not fits():
        await asyncio.sleep(0)
