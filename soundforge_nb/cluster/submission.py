"""How tasks come to the scheduler: directly, for the application lives in its process, or by a Dask client.

A client pickles a graph, sends it over the network and has it materialised in a thread: 2.6 ms of CPU for
a task of ours, where the scheduler's own call takes 1.1. That call is no promise of Dask's, so what it looks
like is checked at the start, and a client does the same where it looks different.
"""

from __future__ import annotations

import inspect
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import distributed
from distributed.scheduler import Scheduler

log = logging.getLogger(__name__)

#: The name under which the application itself is a Dask client, told apart from those that attach.
CLIENT_NAME = "soundforge-application"
#: The scheduler's own client: what it wants is forgotten as soon as it is over.
_NOBODY = "fire-and-forget"


class Submission(Protocol):
    """Gives tasks to the scheduler; what became of one, its plugins are told."""

    def submit(
        self, function: Callable[[str], None], payloads: Mapping[str, str], node: str, resource: str
    ) -> None:
        """Run `function` of each payload as a task of that key, on that Dask worker and no other."""
        ...

    def release(self, key: str) -> None:
        """Nobody waits for this task any more; one that runs is left alone."""
        ...

    def over(self, key: str) -> None:
        """Dask said of this task, within a transition of it, that it is over."""
        ...

    async def close(self) -> None: ...


async def open_submission(scheduler: Scheduler) -> Submission:
    """The direct way where this version of Dask has it."""
    if DirectSubmission.fits(scheduler):
        return DirectSubmission(scheduler)
    log.info("this version of Dask takes tasks from a client alone")
    client = await distributed.Client(
        scheduler.address,
        asynchronous=True,
        security=scheduler.security,
        set_as_default=False,
        name=CLIENT_NAME,
    )
    return ClientSubmission(client)


class DirectSubmission:
    """By the scheduler's own call, in its event loop."""

    _NEEDED = frozenset(
        {"start", "dsk", "keys", "ordered", "client", "annotations_by_type", "global_annotations"}
        | {"stimulus_id", "submitting_task", "span_metadata"}
    )

    def __init__(self, scheduler: Scheduler) -> None:
        from dask._task_spec import Task

        self._scheduler = scheduler
        self._task = Task
        self._create = scheduler._create_taskstate_from_graph

    @classmethod
    def fits(cls, scheduler: Scheduler) -> bool:
        """Whether this scheduler has the call, with these parameters and no others that must be given."""
        try:
            parameters = inspect.signature(scheduler._create_taskstate_from_graph).parameters
            from dask._task_spec import Task  # noqa: F401
        except (AttributeError, ImportError, TypeError):
            return False
        wanted = {name for name, entry in parameters.items() if entry.default is entry.empty}
        return wanted <= cls._NEEDED <= parameters.keys() and _NOBODY in scheduler.clients

    def submit(
        self, function: Callable[[str], None], payloads: Mapping[str, str], node: str, resource: str
    ) -> None:
        self._create(
            start=time.time(),
            dsk={key: self._task(key, function, payload) for key, payload in payloads.items()},
            keys=set(payloads),
            ordered={key: place for place, key in enumerate(payloads)},
            client=_NOBODY,
            annotations_by_type={},
            global_annotations={
                "workers": [node],
                "allow_other_workers": False,
                "resources": {resource: 1},
                "retries": 0,
            },
            stimulus_id=f"soundforge-{time.time()}",
            submitting_task=None,
            span_metadata={"collections": []},
        )

    def release(self, key: str) -> None:
        if key in self._scheduler.tasks:
            self._scheduler.client_releases_keys([key], _NOBODY)

    def over(self, key: str) -> None:
        """The scheduler forgets it by itself."""

    async def close(self) -> None:
        """There is nothing to close."""


class ClientSubmission:
    """By a Dask client of the application's own."""

    def __init__(self, client: distributed.Client) -> None:
        self._client = client
        # Dask drops a task whose future is let go.
        self._futures: dict[str, Any] = {}

    def submit(
        self, function: Callable[[str], None], payloads: Mapping[str, str], node: str, resource: str
    ) -> None:
        # One message for all of them.
        futures = self._client.map(
            function,
            list(payloads.values()),
            key=list(payloads),
            workers=[node],
            allow_other_workers=False,
            resources={resource: 1},
            retries=0,
            pure=False,
        )
        self._futures.update(zip(payloads, futures, strict=True))

    def release(self, key: str) -> None:
        future = self._futures.pop(key, None)
        if future is not None:
            future.release()

    over = release

    async def close(self) -> None:
        await self._client.close()
