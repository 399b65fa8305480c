"""A queue: hands over what fits now, whenever something changed or became due."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from soundforge_nb.errors import StoreError
from soundforge_nb.jobs.engine import Engine
from soundforge_nb.lifecycle.supervisor import Service

log = logging.getLogger(__name__)

#: How often a queue compares the time that its next job is due with the clock.
DUE_SECONDS = 1.0


class Queue(Service):
    """Fills the free slots of one queue. The table is the queue; this holds nothing of its own.

    An idle queue costs no query: whatever could give it work wakes it, and when the next scheduled or
    retryable job is due was read with the last claim.
    """

    def __init__(self, name: str, engine: Engine) -> None:
        self.name = name
        self._engine = engine

    async def start(self) -> None:
        # Whatever stands as executing when the application starts belonged to one that ended.
        await self._engine.reconcile()

    async def run(self) -> None:
        wake = self._engine.wake[self.name]
        # A queue that is restarted has missed nothing: the first look needs no reason.
        while True:
            wake.clear()
            try:
                await self._engine.fill(self.name)
            except StoreError as error:
                # The store's own crash is the supervisor's to see to; what waits goes on waiting.
                log.warning("queue %s: %s", self.name, error)
                wake.set()
                await asyncio.sleep(DUE_SECONDS)
            await self._until_needed(wake)

    async def _until_needed(self, wake: asyncio.Event) -> None:
        while not wake.is_set():
            # Not `wait_for`: in Python 3.11 it swallows a cancel that comes together with what it waits for.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(DUE_SECONDS):
                    await wake.wait()
            if self._engine.is_due(self.name):
                return
