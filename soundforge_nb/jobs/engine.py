"""The engine: every change of a job's state goes through here, from insertion to acknowledgement.

It runs in the application's event loop and knows no Dask: what runs jobs is handed in as a `Dispatch`.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Protocol

from soundforge_nb.config import Config
from soundforge_nb.errors import SoundforgeError
from soundforge_nb.jobs import batches, table, verdict
from soundforge_nb.jobs.backoff import backoff_seconds
from soundforge_nb.jobs.grouped import Grouped
from soundforge_nb.jobs.job import Cancel, Completed, Job, NewJob, Outcome
from soundforge_nb.jobs.kind import Kinds, Move
from soundforge_nb.jobs.ledger import Lease, Ledger
from soundforge_nb.jobs.states import FINISHED, State
from soundforge_nb.jobs.table import Ack, Start
from soundforge_nb.lifecycle.clock import Clock
from soundforge_nb.lifecycle.identifiers import new_id
from soundforge_nb.lifecycle.pubsub import PubSub
from soundforge_nb.lifecycle.telemetry import Telemetry
from soundforge_nb.store.session import Session
from soundforge_nb.store.store import Store

log = logging.getLogger(__name__)


class Dispatch(Protocol):
    """What runs jobs: Dask, or a test's own."""

    def submit(self, job: Job, node: str) -> None:
        """Run `job` on `node`; its end comes back through `Engine.finished` or `Engine.lost`."""
        ...

    async def cancel(self, lease: Lease, reason: str) -> None:
        """Ask the node to stop a lease's work."""
        ...


class Engine:
    """Inserts, claims, starts, acknowledges, cancels, rescues."""

    def __init__(
        self,
        *,
        config: Config,
        kinds: Kinds,
        ledger: Ledger,
        clock: Clock,
        telemetry: Telemetry,
        store: Callable[[], Store],
        pubsub: Callable[[], PubSub],
    ) -> None:
        self.config = config
        self.kinds = kinds
        self.ledger = ledger
        self.clock = clock
        self.telemetry = telemetry
        self.dispatch: Dispatch | None = None
        self.wake: dict[str, asyncio.Event] = {queue: asyncio.Event() for queue in ledger.limits}
        self.on_batch_finished: Callable[[str], None] = lambda batch_id: None
        self._store = store
        self._pubsub = pubsub
        self._start = Grouped[Start, int | None](self._flush_starts)
        self._acknowledge = Grouped[Ack, bool](self._flush_acks)
        self._tasks: set[asyncio.Future[Any]] = set()
        self._reconciled = False
        #: While true nothing new is handed out: the application is about to end.
        self.draining = False

    # -- in -----------------------------------------------------------------------------------

    async def insert(self, jobs: Sequence[NewJob]) -> None:
        """Make jobs durable, then let their queues know."""
        now = self.clock.now()
        await self._store().write("insert_jobs", lambda session: table.insert_jobs(session, jobs, now))
        self.inserted(jobs)

    def inserted(self, jobs: Sequence[NewJob]) -> None:
        """Tell of jobs that were inserted within a caller's own transaction."""
        for job in jobs:
            self.telemetry.execute("job.insert", {"count": 1}, {"queue": job.queue, "kind": job.kind})
            self._publish(job.job_id, job.kind, job.queue, job.batch_id, State.AVAILABLE)
        self._wake(job.queue for job in jobs)

    async def fill(self, queue: str) -> int:
        """Claim what the queue's free slots can take and hand it over; returns how many."""
        nodes = self.ledger.free_slots(queue)
        if not nodes or self.dispatch is None or self.draining:
            return 0
        lease_ids = [new_id() for _ in nodes]
        now = self.clock.now()
        claimed = await self._store().write(
            "claim", lambda session: table.claim(session, queue, nodes, lease_ids, now)
        )
        expires = self.clock.monotonic() + self.config.lease_seconds
        for job, node in claimed:
            self.ledger.take(Lease(job, node, expires), queue)
        for job, node in claimed:
            if node in self.ledger.nodes:
                self.dispatch.submit(job, node)
            else:
                await self.lost(job.lease_id, "its Dask worker left before it began")
        return len(claimed)

    # -- the run --------------------------------------------------------------------------------

    async def started(self, start: Start) -> int | None:
        """Count a start once it is committed; None where the lease is dead and the run must not go on."""
        lease = self.ledger.get(start.lease_id)
        if lease is None or lease.cancel_reason is not None:
            return None
        attempt = await self._start(start)
        lease = self.ledger.get(start.lease_id)
        if attempt is None or lease is None:
            return None
        lease.started = True
        lease.started_monotonic = self.clock.monotonic()
        lease.job = _with_attempt(lease.job, attempt)
        self.telemetry.execute("job.start", {"count": 1}, _facts(lease.job))
        self._publish_lease(lease, State.EXECUTING)
        return attempt

    def progressed(self, lease_id: str, percent: int, message: str) -> None:
        """Note what a running job says of itself; a dead lease's word is dropped."""
        lease = self.ledger.get(lease_id)
        if lease is None:
            return
        lease.progress, lease.message, lease.progress_changed = percent, message, True
        lease.expires = self.clock.monotonic() + self.config.lease_seconds
        self._publish_lease(lease, State.EXECUTING)

    async def finished(self, lease_id: str, outcome: Outcome) -> bool:
        """Acknowledge a run's end; False where its lease was dead and nothing changed."""
        lease = self.ledger.get(lease_id)
        if lease is None:
            log.info("a late answer of the dead lease %s changed nothing", lease_id)
            return False
        if lease.cancel_reason is not None:
            outcome = Cancel(lease.cancel_reason)
        try:
            ack = await self._ack_for(lease, outcome)
            accepted = await self._acknowledge(ack)
        except Exception as error:
            log.exception("what %s made could not be recorded", lease.job.job_id)
            reason = _as_error(error, "What the job made could not be recorded")
            wait = backoff_seconds(lease.job.attempt)
            ack = verdict.retried(lease, reason, self.clock.now(), wait)
            accepted = await self._acknowledge(ack)
        self._settle(lease, ack, accepted)
        return accepted

    async def lost(self, lease_id: str, reason: str) -> bool:
        """A run whose node died, or that never came back: take the job up again."""
        lease = self.ledger.get(lease_id)
        if lease is None:
            return False
        ack = verdict.rescued(lease, reason)
        accepted = await self._acknowledge(ack)
        log.warning("job %s is taken up again: %s", lease.job.job_id, reason)
        self._settle(lease, ack, accepted)
        return accepted

    async def reconcile(self) -> int:
        """At a start, once: whatever stands as executing belonged to an application that ended."""
        if self._reconciled:
            return 0
        self._reconciled = True
        rows = await self._store().read("executing", table.executing)
        acks = [verdict.left_executing(row) for row in rows]
        if acks:
            await self._flush_acks(acks)
        await asyncio.to_thread(_sweep, self.config.staging_folder)
        return len(acks)

    # -- requests ---------------------------------------------------------------------------------

    async def cancel(self, job_ids: Sequence[str], reason: str) -> int:
        """Cancel jobs, running ones by ending their child; returns how many it concerned."""
        now = self.clock.now()
        error = verdict.plain_error(reason, "cancelled")
        rows = await self._store().write(
            "cancel", lambda session: table.cancel_waiting(session, job_ids, error, now)
        )
        for row in rows:
            self._publish(
                row["job_id"], row["kind"], row["queue"], row["batch_id"], State.CANCELLED, 0, reason
            )
        running = [lease for job_id in job_ids if (lease := self.ledger.of_job(job_id))]
        for lease in running:
            lease.cancel_reason = reason
            if self.dispatch is not None:
                await self.dispatch.cancel(lease, reason)
        await self.finish_batches([row["job_id"] for row in rows])
        return len(rows) + len(running)

    async def retry(self, job_ids: Sequence[str]) -> int:
        """Give discarded and cancelled jobs another try; returns how many it applied to."""
        now = self.clock.now()

        def work(session: Session) -> list[dict[str, Any]]:
            batches.reopen_batches(session, job_ids)
            return table.retry_jobs(session, job_ids, 1, now)

        rows = await self._store().write("retry", work)
        self._wake(row["queue"] for row in rows)
        return len(rows)

    async def flush_progress(self) -> None:
        """Write the progress that changed since the last time."""
        changed = [lease for lease in self.ledger.leases() if lease.progress_changed]
        if not changed:
            return
        rows = [(lease.lease_id, lease.progress, lease.message) for lease in changed]
        for lease in changed:
            lease.progress_changed = False
        await self._store().write("progress", lambda session: table.set_progress(session, rows))

    # -- how a run ends ---------------------------------------------------------------------------

    async def _ack_for(self, lease: Lease, outcome: Outcome) -> Ack:
        kind = self.kinds[lease.job.kind]
        now = self.clock.now()
        if not isinstance(outcome, Completed):
            return verdict.ended(lease, outcome, now, kind.backoff_seconds(lease.job.attempt))
        record = await asyncio.to_thread(kind.record, lease.job, outcome.result, self.config, now)
        await asyncio.to_thread(_move_into_place, record.moves)
        return verdict.completed(lease.job, record)

    # -- groups -----------------------------------------------------------------------------------

    async def _flush_starts(self, starts: list[Start]) -> list[int | None]:
        now = self.clock.now()
        attempts = await self._store().write(
            "start", lambda session: table.start_attempts(session, starts, now)
        )
        return [attempts.get(start.lease_id) for start in starts]

    async def _flush_acks(self, acks: list[Ack]) -> list[bool]:
        now = self.clock.now()
        return await self._store().write("acknowledge", lambda session: table.acknowledge(session, acks, now))

    def _settle(self, lease: Lease, ack: Ack, accepted: bool) -> None:
        """After the commit: free the slot, tell everyone, wake the queues."""
        released = self.ledger.release(lease.lease_id)
        self._wake(self.wake)
        staging = self.config.staging_folder / lease.lease_id
        self._background(asyncio.to_thread(shutil.rmtree, staging, ignore_errors=True))
        if released is None or not accepted:
            return
        facts = {**_facts(lease.job), "state": ack.state.value}
        seconds = self.clock.monotonic() - lease.started_monotonic if lease.started else 0.0
        event = "job.stop" if ack.state in (State.COMPLETED, State.SCHEDULED) else "job.exception"
        self.telemetry.execute(event, {"duration_seconds": seconds}, facts)
        lease.progress = ack.progress
        lease.message = ack.message
        self._publish_lease(lease, ack.state)
        if ack.state in FINISHED:
            self._background(self.finish_batches([lease.job.job_id]))

    async def finish_batches(self, job_ids: Sequence[str] | None) -> None:
        """See to the batches of these jobs, or all, in which nothing is left to do."""
        done = await self._store().read(
            "done_batches", lambda session: batches.done_batches(session, job_ids)
        )
        for batch_id in done:
            self.on_batch_finished(batch_id)

    async def finish_batch_if_done(self, batch_id: str) -> None:
        """For a batch that may have nothing to do from its beginning."""
        done = await self._store().read("done_batches", lambda session: batches.done_batches(session, None))
        if batch_id in done:
            self.on_batch_finished(batch_id)

    def _background(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # -- telling ----------------------------------------------------------------------------------

    def _wake(self, queues: Iterable[str]) -> None:
        for queue in set(queues):
            event = self.wake.get(queue)
            if event is not None:
                event.set()

    def _publish_lease(self, lease: Lease, state: State) -> None:
        job = lease.job
        self._publish(job.job_id, job.kind, job.queue, job.batch_id, state, lease.progress, lease.message)

    def _publish(
        self,
        job_id: str,
        kind: str,
        queue: str,
        batch_id: str | None,
        state: State,
        progress: int = 0,
        message: str = "",
    ) -> None:
        body = {
            "job_id": job_id,
            "kind": kind,
            "queue": queue,
            "batch_id": batch_id,
            "state": state.value,
            "progress": progress,
            "message": message,
        }
        published = self._pubsub().publish("jobs", body)
        self.telemetry.execute("topic.publish", {"count": 1}, {"topic": published.topic})


def _with_attempt(job: Job, attempt: int) -> Job:
    return dataclasses.replace(job, attempt=attempt)


def _facts(job: Job) -> dict[str, Any]:
    return {"queue": job.queue, "kind": job.kind, "job_id": job.job_id, "attempt": job.attempt}


def _as_error(error: Exception, fallback: str) -> dict[str, Any]:
    if isinstance(error, SoundforgeError):
        return error.as_json()
    return verdict.plain_error(f"{fallback}: {type(error).__name__}: {error}")


def _move_into_place(moves: Sequence[Move]) -> None:
    for move in moves:
        move.target.parent.mkdir(parents=True, exist_ok=True)
        # A crash after this leaves a file without a row, which the next run of the job replaces.
        move.source.replace(move.target)


def _sweep(staging_folder: Path) -> None:
    """What dead leases left: nothing is leased when an application starts."""
    if staging_folder.is_dir():
        for entry in staging_folder.iterdir():
            shutil.rmtree(entry, ignore_errors=True)
