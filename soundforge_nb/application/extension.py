"""The scheduler extension: hosts the application on a Dask scheduler, any Dask scheduler."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from distributed.diagnostics.plugin import SchedulerPlugin
from distributed.protocol.pickle import dumps
from distributed.scheduler import Scheduler

from soundforge_nb.application.api import Api
from soundforge_nb.application.application import Application
from soundforge_nb.application.requests import answer
from soundforge_nb.cluster.dispatch import DaskDispatch
from soundforge_nb.cluster.observer import Observer
from soundforge_nb.cluster.plugin import PLUGIN_NAME, ForgeWorkerPlugin
from soundforge_nb.cluster.settings import OUTBOUND_TOPIC
from soundforge_nb.cluster.submission import CLIENT_NAME, Submission, open_submission
from soundforge_nb.config import Config
from soundforge_nb.lifecycle.pubsub import Published
from soundforge_nb.pipeline.kinds import kinds_of

log = logging.getLogger(__name__)


class ForgeExtension(SchedulerPlugin):
    """Brings the calls to the scheduler's RPC and its events to the engine."""

    name = PLUGIN_NAME

    def __init__(self, config: Config, scheduler: Scheduler, stop: Callable[[float], None]) -> None:
        self._config = config
        self._scheduler = scheduler
        self._tasks: set[asyncio.Task[Any]] = set()
        self.application = Application(config, kinds_of(config), outbound=self._send)
        self._observer = Observer(scheduler)
        self.api = Api(self.application, stop, self._observer)
        self._submission: Submission | None = None
        self._dispatch: DaskDispatch | None = None

    async def begin(self) -> None:
        """Start the application and open for calls."""
        self._submission = await open_submission(self._scheduler)
        self._dispatch = DaskDispatch(self._scheduler, self._submission, self.application.engine)
        self._scheduler.add_plugin(self)
        self._scheduler.handlers["soundforge"] = self._call
        await self.application.start(self._dispatch)
        await self._scheduler.register_worker_plugin(
            None, dumps(ForgeWorkerPlugin(self._config.as_json())), name=PLUGIN_NAME, idempotent=False
        )

    async def end(self) -> None:
        """Stop the application, however far it came; what runs is taken up at its next start."""
        self.application.engine.draining = True
        if self._dispatch is not None:
            self._dispatch.close()
        await self.application.stop()
        self.api.close()
        if self._submission is not None:
            await self._submission.close()

    @property
    def addresses(self) -> tuple[str, str]:
        """Where the scheduler listens: its own protocol, and HTTP."""
        return self._scheduler.address, self._observer.http

    def which_children(self) -> list[dict[str, Any]]:
        return self.application.supervisor.which_children()

    def clients(self) -> int:
        """How many clients are attached, the application's own aside."""
        return sum(not _is_own(str(key)) for key in self._scheduler.clients)

    async def _call(self, comm: Any = None, method: str = "", arguments: str = "{}") -> dict[str, Any]:
        return await answer(
            self.api,
            method,
            arguments,
            is_open=self.application.open,
            telemetry=self.application.telemetry,
        )

    def _send(self, message: Published) -> None:
        self._scheduler.log_event(
            OUTBOUND_TOPIC,
            {"topic": message.topic, "sequence": message.sequence, "body": message.body},
        )

    # -- hooks of the scheduler -------------------------------------------------------------------

    def transition(self, key: Any, start: str, finish: str, *args: Any, **kwargs: Any) -> None:
        if self._dispatch is not None and finish in ("memory", "erred", "forgotten"):
            self._dispatch.returned(key, finish)

    def add_client(self, scheduler: Scheduler, client: str) -> None:
        if not _is_own(client):
            # Who attaches follows: a client subscribes before its first call.
            self.application.telemetry.execute("topic.subscribe", {"count": 1}, {"topic": OUTBOUND_TOPIC})

    def remove_worker(self, scheduler: Scheduler, worker: str, **kwargs: Any) -> None:
        engine = self.application.engine
        for lease in engine.ledger.remove_node(worker):
            if not engine.draining and self._dispatch is not None:
                self._dispatch.forget(lease.lease_id)
                self._background(engine.lost(lease.lease_id, "its Dask worker died"))

    def _background(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _is_own(client: str) -> bool:
    return client.startswith((f"Client-{CLIENT_NAME}", "fire-and-forget"))
