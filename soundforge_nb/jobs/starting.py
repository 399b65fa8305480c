"""Claimed jobs up to their starts, and what runs say of themselves; who offers slots, and is still heard.

Many start at once, so the way of each is made of calls, not of tasks: what changes in the store gathers in
groups, and what follows a commit is done for one after the other.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from soundforge_nb.jobs.announcer import Announcer
from soundforge_nb.jobs.counting import Counting
from soundforge_nb.jobs.folding import Start
from soundforge_nb.jobs.grouped import Grouped, resolve
from soundforge_nb.jobs.ledger import Lease, Node
from soundforge_nb.jobs.parts import Parts
from soundforge_nb.jobs.recorder import Recorder
from soundforge_nb.jobs.states import State

log = logging.getLogger(__name__)

#: Told the attempt's number of each lease that may begin, or why no start could be counted.
Begun = Callable[[dict[str, int] | Exception], None]


class Starting:
    """What the engine does from a claim to its start: the base of `Runs`."""

    def __init__(self, parts: Parts) -> None:
        self.config = parts.config
        self.kinds = parts.kinds
        self.ledger = parts.ledger
        self.clock = parts.clock
        self.telemetry = parts.telemetry
        self.wake: dict[str, asyncio.Event] = {queue: asyncio.Event() for queue in parts.ledger.limits}
        #: Whether any job waits or waited for another; None: the table knows.
        self.any_parents: bool | None = None
        self.counting = Counting(parts.store)
        self._store = parts.store
        self._tell = Announcer(parts.telemetry, parts.pubsub)
        self._recorder = Recorder(parts, self.counting, lambda: self.any_parents)
        self._start = Grouped[Sequence[Start], None](self._recorder.starts)

    # -- nodes ------------------------------------------------------------------------------------

    def joined(self, node: str, gpus: int = 0, host: str = "", pulse: int | None = None) -> None:
        """A node offers its slots, and its GPUs."""
        until = self.clock.monotonic() + self.config.lease_seconds
        self.ledger.add_node(node, Node(until, gpus=gpus, host=host, pulse=pulse))
        self._wake(self.wake)

    def heard(self, node: str, lease_ids: Iterable[str] = (), pulse: int | None = None) -> None:
        """A node spoke, of these leases: both hold for another term."""
        expires = self.clock.monotonic() + self.config.lease_seconds
        self.ledger.renew(lease_ids, expires)
        if self.ledger.hear(node, expires, pulse):
            log.warning("the Dask worker %s is heard again", node)
            self._wake(self.wake)

    # -- starts -----------------------------------------------------------------------------------

    async def started(self, start: Start) -> int | None:
        """Count a start once it is committed; None where the lease is dead and the run must not go on."""
        future: asyncio.Future[dict[str, int]] = asyncio.get_running_loop().create_future()
        self.begin([start], partial(resolve, future))
        return (await future).get(start.lease_id)

    def begin(self, starts: Sequence[Start], begun: Begun) -> None:
        """As `started`, for several of a chunk at once: `begun` is told which may begin."""
        leases, counted = [], []
        for start in starts:
            lease = self.ledger.get(start.lease_id)
            if lease is None or lease.cancel_reason is not None or lease.starting:
                continue
            # A lease starts once, whatever Dask does with its task.
            lease.starting = True
            leases.append(lease)
            counted.append(dataclasses.replace(start, attempt=lease.job.attempt + 1))
        if leases:
            self._start.put(counted, partial(self._begun, leases, begun))
        else:
            begun({})

    def _begun(self, leases: Sequence[Lease], begun: Begun, answer: Exception | None) -> None:
        if isinstance(answer, Exception):
            for lease in leases:
                lease.starting = False
            begun(answer)
            return
        attempts = {}
        now = self.clock.monotonic()
        for lease in leases:
            if self.ledger.get(lease.lease_id) is not lease:
                continue
            lease.started = True
            lease.started_monotonic = now
            lease.job = dataclasses.replace(lease.job, attempt=lease.job.attempt + 1)
            self._tell.started(lease)
            # The cancel that came meanwhile found nothing to end on the node.
            if lease.cancel_reason is None:
                attempts[lease.lease_id] = lease.job.attempt
        begun(attempts)

    def progressed(self, lease_id: str, percent: int, message: str) -> None:
        """Note what a running job says of itself; a dead lease's word is dropped."""
        lease = self.ledger.get(lease_id)
        if lease is None:
            return
        lease.progress = max(0, min(100, int(percent)))
        # A child's words go into the database: only what is text.
        lease.message = message.encode("utf-8", "replace").decode("utf-8")
        lease.progress_changed = True
        lease.expires = self.clock.monotonic() + self.config.lease_seconds
        self._tell.lease(lease, State.EXECUTING)

    def _wake(self, queues: Iterable[str]) -> None:
        for queue in set(queues):
            event = self.wake.get(queue)
            if event is not None:
                event.set()
