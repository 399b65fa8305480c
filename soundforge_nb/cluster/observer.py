"""Looks at who is there: Dask workers with their ports, and Dask clients that follow."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

from distributed.scheduler import Scheduler

from soundforge_nb.cluster.settings import OUTBOUND_TOPIC

log = logging.getLogger(__name__)

#: Ports are asked for at most so often: each answer costs a look at every child's memory.
LOOK_SECONDS = 2.0
_ANSWER_SECONDS = 2.0


class Observer:
    """Answers at once, with what is known: the ports are asked for beside that, while somebody looks."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._ports: dict[str, dict[str, Any]] = {}
        self._asked_at = float("-inf")
        self._asking: asyncio.Task[None] | None = None

    @property
    def http(self) -> str:
        """Where health and metrics are answered."""
        return f"http://127.0.0.1:{self._scheduler.services['dashboard'].port}"

    def follow(self, client: str) -> bool:
        """Send this Dask client what is told from now on; False where there is none of that name."""
        if client not in self._scheduler.clients:
            return False
        self._scheduler.subscribe_topic(OUTBOUND_TOPIC, client)
        return True

    def ports(self) -> dict[str, dict[str, Any]]:
        """The live ports by the lease that they work for: pid, program, memory, Dask worker."""
        now = time.monotonic()
        if self._asking is None and now - self._asked_at >= LOOK_SECONDS:
            self._asked_at = now
            self._asking = asyncio.create_task(self._ask(), name="ask-for-ports")
            self._asking.add_done_callback(self._answered)
        return self._ports

    def dask_worker(self, address: str) -> dict[str, Any]:
        """What Dask knows of a Dask worker; memory as it last said it."""
        found = self._scheduler.workers.get(address)
        if found is None:
            return {}
        return {
            "name": str(found.name),
            "status": found.status.name,
            "memory_bytes": int(found.metrics.get("memory", 0)),
            "cpu_percent": float(found.metrics.get("cpu", 0.0)),
            "seen_at": float(found.last_seen),
        }

    async def _ask(self) -> None:
        answers = await asyncio.wait_for(
            self._scheduler.broadcast(msg={"op": "soundforge_ports"}, on_error="return"), _ANSWER_SECONDS
        )
        self._ports = {
            port["owner"]: {**port, "dask_worker": address}
            for address, answer in answers.items()
            # Dask's messages turn lists into tuples on their way.
            for port in (answer if isinstance(answer, (list, tuple)) else ())
        }

    def _answered(self, task: asyncio.Task[None]) -> None:
        self._asking = None
        if not task.cancelled() and (error := task.exception()) is not None:
            log.debug("the Dask workers did not tell of their ports: %r", error)
