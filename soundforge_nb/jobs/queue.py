"""A queue: hands over what fits now, whenever something changed or became due."""

from __future__ import annotations

import asyncio
import contextlib

from soundforge_nb.jobs.engine import Engine
from soundforge_nb.lifecycle.supervisor import Service

#: How often a queue looks for scheduled and retryable jobs whose time has come.
DUE_SECONDS = 1.0


class Queue(Service):
    """Fills the free slots of one queue. The table is the queue; this holds nothing of its own."""

    def __init__(self, name: str, engine: Engine) -> None:
        self.name = name
        self._engine = engine

    async def start(self) -> None:
        # Whatever stands as executing when the application starts belonged to one that ended.
        await self._engine.reconcile()

    async def run(self) -> None:
        wake = self._engine.wake[self.name]
        while True:
            wake.clear()
            await self._engine.fill(self.name)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(wake.wait(), DUE_SECONDS)
