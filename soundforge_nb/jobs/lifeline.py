"""Lifeline: takes up jobs whose lease has run out, never those that are merely old.

Leases run on the monotonic clock. When this loop itself was late by more than a few seconds the whole
machine slept, and every lease gets a fresh term before any is judged.
"""

from __future__ import annotations

import asyncio

from soundforge_nb.jobs.engine import Engine
from soundforge_nb.lifecycle.supervisor import Service

TICK_SECONDS = 1.0


class Lifeline(Service):
    def __init__(self, engine: Engine, *, sleep_gap_seconds: float = 5.0) -> None:
        self._engine = engine
        self._gap_seconds = sleep_gap_seconds
        self._last = engine.clock.monotonic()

    async def run(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            await self.tick()

    async def tick(self) -> list[str]:
        """Write progress down, then rescue what expired; returns the rescued leases."""
        engine = self._engine
        now = engine.clock.monotonic()
        slept = now - self._last > self._gap_seconds
        self._last = now
        await engine.flush_progress()
        if slept:
            leases = [lease.lease_id for lease in engine.ledger.leases()]
            engine.ledger.renew(leases, now + engine.config.lease_seconds)
            return []
        rescued = []
        for lease in engine.ledger.expired(now):
            if engine.dispatch is not None:
                await engine.dispatch.cancel(lease, "its lease ran out")
            if await engine.lost(lease.lease_id, "its Dask worker fell silent"):
                rescued.append(lease.lease_id)
        return rescued
