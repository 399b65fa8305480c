"""Lifeline: takes up jobs whose lease has run out or is gone, never those that are merely old.

Leases run on the monotonic clock. When this loop itself was late by more than a few seconds the whole
machine slept, and every lease gets a fresh term before any is judged.
"""

from __future__ import annotations

import asyncio
import logging

from soundforge_nb.errors import StoreError
from soundforge_nb.jobs.engine import Engine
from soundforge_nb.lifecycle.supervisor import Service

log = logging.getLogger(__name__)

TICK_SECONDS = 1.0


class Lifeline(Service):
    def __init__(self, engine: Engine, *, sleep_gap_seconds: float = 5.0) -> None:
        self._engine = engine
        self._gap_seconds = sleep_gap_seconds
        self._last = engine.clock.monotonic()
        self._looked = self._last

    async def run(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            try:
                await self.tick()
            except StoreError as error:
                # The store's own crash is the supervisor's to see to; what is due here stays due.
                log.warning("the library could not be reached: %s", error)

    async def tick(self) -> list[str]:
        """Write progress down, repeat cancels, rescue what expired; returns the rescued leases."""
        engine = self._engine
        now = engine.clock.monotonic()
        slept = now - self._last > self._gap_seconds
        self._last = now
        if slept:
            engine.ledger.renew_all(now + engine.config.lease_seconds)
        await engine.flush_progress()
        await engine.repeat_cancels()
        for node in engine.ledger.fall_silent(now):
            log.warning("the Dask worker %s fell silent; it is given nothing until it is heard", node)
        rescued = []
        for lease in engine.ledger.expired(now):
            if await engine.lost(lease.lease_id, "its Dask worker fell silent"):
                rescued.append(lease.lease_id)
                # What it still runs, if it is alive after all, works for nobody.
                engine.stop_run(lease, "its lease ran out")
        if now - self._looked >= engine.config.lease_seconds:
            self._looked = now
            rescued += await engine.rescue_orphans()
        return rescued
