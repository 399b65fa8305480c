"""The application: what starts, in which order, who restarts it, and what they share."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

from soundforge_nb.application.finishing import finish_batch
from soundforge_nb.application.metric_table import METRICS
from soundforge_nb.application.services import Endpoint, TelemetryPoller, Topics
from soundforge_nb.config import Config
from soundforge_nb.errors import StoreError
from soundforge_nb.jobs.engine import Engine
from soundforge_nb.jobs.filling import Dispatch
from soundforge_nb.jobs.folding import fold
from soundforge_nb.jobs.kind import Kinds
from soundforge_nb.jobs.ledger import Ledger
from soundforge_nb.jobs.lifeline import Lifeline
from soundforge_nb.jobs.parts import Parts
from soundforge_nb.jobs.pruner import Pruner
from soundforge_nb.jobs.queue import Queue
from soundforge_nb.library.janitor import Janitor
from soundforge_nb.lifecycle.clock import Clock, SystemClock
from soundforge_nb.lifecycle.history import History
from soundforge_nb.lifecycle.metrics import Metrics
from soundforge_nb.lifecycle.pubsub import Published, PubSub
from soundforge_nb.lifecycle.rates import Rates
from soundforge_nb.lifecycle.supervisor import Child, Supervisor
from soundforge_nb.lifecycle.telemetry import Telemetry
from soundforge_nb.pipeline.link_keeper import LinkKeeper
from soundforge_nb.spotify.refresher import TokenRefresher
from soundforge_nb.store.faults import CLOSED, FULL
from soundforge_nb.store.store import Store

log = logging.getLogger(__name__)

#: How often the end of a batch is tried while the library can't be written.
FINISH_AGAIN_SECONDS = 2.0


class Application:
    """Holds the supervision tree. What a restarted child replaces is looked up anew at each use."""

    store: Store
    pubsub: PubSub
    metrics: Metrics
    janitor: Janitor

    def __init__(
        self,
        config: Config,
        kinds: Kinds,
        *,
        outbound: Callable[[Published], None] = lambda message: None,
        clock: Clock | None = None,
    ) -> None:
        self.config = config
        self.clock = clock or SystemClock()
        self.telemetry = Telemetry()
        # It outlives the child that fills it: a crash of telemetry leaves a gap, not a blank.
        self.history = History(METRICS)
        self.rates = Rates(self.telemetry, ("job.stop", "job.exception"), "queue", time.monotonic)
        self.ledger = Ledger(config.limits)
        self.open = False
        self.pubsub = PubSub()
        self._outbound = outbound
        self._tasks: set[asyncio.Task[None]] = set()
        self.engine = Engine(
            Parts(
                config=config,
                kinds=kinds,
                ledger=self.ledger,
                clock=self.clock,
                telemetry=self.telemetry,
                store=lambda: self.store,
                pubsub=lambda: self.pubsub,
            )
        )
        self.engine.on_batch_finished = self._batch_finished
        self.supervisor = Supervisor(self._children(), telemetry=self.telemetry)

    async def start(self, dispatch: Dispatch) -> None:
        """Start the tree; what an earlier application left is taken up by the first queue."""
        self.engine.dispatch = dispatch
        await self.supervisor.start()
        await self.engine.finish_batches(None)

    async def stop(self) -> None:
        self.engine.draining = True
        for task in list(self._tasks):
            task.cancel()
        await self.supervisor.stop()

    def _children(self) -> list[Child]:
        queues = [
            Child(f"queue:{name}", lambda name=name: Queue(name, self.engine))  # type: ignore[misc]
            for name in self.config.limits
        ]
        return [
            Child("telemetry", self._new_poller),
            Child("store", self._new_store, shutdown_seconds=30.0),
            Child("pubsub", lambda: Topics(self.pubsub.sequence, self._adopt("pubsub"), self._outbound)),
            Child("token refresher", lambda: TokenRefresher(self.config, self.clock)),
            *queues,
            Child("link keeper", self._new_link_keeper),
            Child("lifeline", lambda: Lifeline(self.engine)),
            Child("pruner", self._new_pruner),
            Child("janitor", self._new_janitor),
            Child("endpoint", lambda: Endpoint(self._adopt("open"))),
        ]

    def _new_poller(self) -> TelemetryPoller:
        def measured(at: float) -> None:
            self.pubsub.publish("metrics", {"at": at})

        return TelemetryPoller(self.telemetry, self._adopt("metrics"), self.history, measured)

    def _new_store(self) -> Store:
        before = getattr(self, "store", None)
        self.store = Store(
            self.config.store_file,
            memory_limit=self.config.store_memory_limit,
            telemetry=self.telemetry,
            fold=fold,
            untold=before.untold if before is not None else (),
        )
        return self.store

    def _new_link_keeper(self) -> LinkKeeper:
        return LinkKeeper(self.config, lambda: self.store, self.telemetry, clock=self.clock)

    def _new_pruner(self) -> Pruner:
        return Pruner(self.config, self.clock, lambda: self.store, self.engine.counting.forget)

    def _new_janitor(self) -> Janitor:
        self.janitor = Janitor(
            self.config,
            lambda: self.store,
            lambda: {lease.lease_id for lease in self.ledger.leases()},
            self.telemetry,
        )
        return self.janitor

    def _adopt(self, name: str) -> Callable[[Any], None]:
        return lambda value: setattr(self, name, value)

    def _batch_finished(self, batch_id: str) -> None:
        task = asyncio.create_task(self._finish(batch_id), name=f"finish-{batch_id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _finish(self, batch_id: str) -> None:
        while True:
            try:
                await finish_batch(self.store, batch_id, self.clock)
                break
            except Exception as error:
                if not (isinstance(error, StoreError) and error.kind in (CLOSED, FULL)):
                    # It stays running in the store, and is seen to again at the next start.
                    log.exception("batch %s could not be finished", batch_id)
                    return
                # Opened again in a moment, or full until somebody makes room: whoever waits goes on waiting.
                log.warning("batch %s: %s", batch_id, error)
                await asyncio.sleep(FINISH_AGAIN_SECONDS)
        self.pubsub.publish("batches", {"batch_id": batch_id, "state": "finished"})
