"""The small services of the tree: telemetry with its poller, pubsub, endpoint."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from soundforge_nb.application.metric_table import METRICS
from soundforge_nb.lifecycle.history import History
from soundforge_nb.lifecycle.metrics import Metrics
from soundforge_nb.lifecycle.pubsub import EVERY_TOPIC, Published, PubSub
from soundforge_nb.lifecycle.supervisor import Service
from soundforge_nb.lifecycle.telemetry import Telemetry

POLL_SECONDS = 10.0


class TelemetryPoller(Service):
    """Keeps the metrics, and measures the process itself every ten seconds."""

    def __init__(
        self,
        telemetry: Telemetry,
        adopt: Callable[[Metrics], None],
        history: History,
        measured: Callable[[float], None] = lambda at: None,
    ) -> None:
        self._telemetry = telemetry
        self._adopt = adopt
        self._history = history
        self._measured = measured

    async def start(self) -> None:
        self._adopt(Metrics(self._telemetry, {metric.event: metric.tags for metric in METRICS}))
        self._history.attach(self._telemetry)

    async def run(self) -> None:
        process = psutil.Process()
        while True:
            self._telemetry.execute("vm.memory", {"total_bytes": process.memory_info().rss})
            self._telemetry.execute("vm.run_queue", run_queue())
            before = time.perf_counter()
            await asyncio.sleep(0)
            self._telemetry.execute("vm.loop_lag", {"seconds": time.perf_counter() - before})
            self._history.tick(time.time())
            self._measured(self._history.ticked_at)
            await asyncio.sleep(POLL_SECONDS)


def run_queue(stat: Path = Path("/proc/stat")) -> dict[str, float]:
    """Tasks of the machine that want to run: those that wait for a processor or have one, and for a disk.

    Where the system does not tell them apart, its load average stands for them all.
    """
    try:
        lines = dict(line.split(" ", 1) for line in stat.read_text(encoding="ascii").splitlines() if line)
        cpu, io = float(lines["procs_running"]), float(lines["procs_blocked"])
    except (OSError, ValueError, KeyError):
        return {"total": os.getloadavg()[0]}
    return {"total": cpu + io, "cpu": cpu, "io": io}


class Topics(Service):
    """The pubsub; every message also goes out to the clients that follow."""

    def __init__(
        self, first_sequence: int, adopt: Callable[[PubSub], None], outbound: Callable[[Published], None]
    ) -> None:
        self._first_sequence = first_sequence
        self._adopt = adopt
        self._outbound = outbound

    async def start(self) -> None:
        pubsub = PubSub(self._first_sequence)
        pubsub.subscribe(EVERY_TOPIC, self._outbound)
        self._adopt(pubsub)


class Endpoint(Service):
    """Takes requests only while it runs: it starts last and stops first."""

    def __init__(self, open_door: Callable[[bool], None]) -> None:
        self._open_door = open_door

    async def start(self) -> None:
        self._open_door(True)

    async def stop(self) -> None:
        self._open_door(False)
