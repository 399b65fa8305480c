"""The engine: every change of a job's state goes through here, from insertion to acknowledgement.

It runs in the application's event loop and knows no Dask: what runs jobs is handed in as a `Dispatch`.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from soundforge_nb.config import Config
from soundforge_nb.errors import StoreError
from soundforge_nb.jobs import batches, files, table, verdict
from soundforge_nb.jobs.announcer import Announcer
from soundforge_nb.jobs.background import Background
from soundforge_nb.jobs.backoff import backoff_seconds
from soundforge_nb.jobs.claiming import Claim, claim_slots
from soundforge_nb.jobs.controls import Controls
from soundforge_nb.jobs.demand import Demand
from soundforge_nb.jobs.grouped import Grouped
from soundforge_nb.jobs.job import Cancel, Completed, NewJob, Outcome
from soundforge_nb.jobs.kind import Kinds
from soundforge_nb.jobs.ledger import Lease, Ledger
from soundforge_nb.jobs.states import FINISHED, State
from soundforge_nb.jobs.table import Ack, Acknowledged, Start
from soundforge_nb.lifecycle.clock import Clock
from soundforge_nb.lifecycle.pubsub import PubSub
from soundforge_nb.lifecycle.telemetry import Telemetry
from soundforge_nb.store.session import Session
from soundforge_nb.store.store import CLOSED, FULL, Store

log = logging.getLogger(__name__)

#: Waits before an acknowledgement is repeated while the store is being opened again.
REPEAT_SECONDS = (0.05, 0.2, 0.5, 1.0, 2.0)
#: How often an end is tried that found no room on the disk.
FULL_SECONDS = 2.0
#: A node that does not answer a cancel in this time is asked again by the lifeline.
CANCEL_SECONDS = 5.0


class Dispatch(Protocol):
    """What runs jobs: Dask, or a test's own."""

    def submit(self, claims: Sequence[Claim]) -> None:
        """Run what was claimed, a slot's jobs in order; ends come back by `Engine.finished` or `lost`."""
        ...

    async def cancel(self, lease: Lease, reason: str) -> None:
        """Ask the node to stop a lease's work; asking twice does no harm."""
        ...

    async def set_limits(self, limits: Mapping[str, int]) -> None:
        """Tell the nodes how many jobs of each queue they run at once from now on."""
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
        #: While true nothing new is handed out: the application is about to end.
        self.draining = False
        self.controls = Controls(
            ledger, store, changed=self._control_changed, limits_changed=self._limits_changed
        )
        self._store = store
        self._tell = Announcer(telemetry, pubsub)
        self._start = Grouped[Start, int | None](self._flush_starts)
        self._acknowledge = Grouped[Ack, Acknowledged](self._flush_acks)
        self._see_to_batches = Grouped[str, None](self._look_at_batches)
        self._background = Background()
        self._filling: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._demand = Demand(ledger.limits)
        self._reconciled = False
        self._reconciling = asyncio.Lock()
        self._suspects: set[str] = set()

    # -- in -----------------------------------------------------------------------------------

    async def insert(self, jobs: Sequence[NewJob]) -> None:
        """Make jobs durable, then let their queues know."""
        now = self.clock.now()
        await self._store().write("insert_jobs", lambda session: table.insert_jobs(session, jobs, now))
        self.inserted(jobs)

    async def known(self, job_ids: Sequence[str]) -> set[str]:
        """Which of these jobs exist."""
        rows = await self._store().read("known_jobs", lambda session: table.get_jobs(session, job_ids))
        return {row["job_id"] for row in rows}

    def inserted(self, jobs: Sequence[NewJob]) -> None:
        """Tell of jobs that were inserted within a caller's own transaction."""
        now = self.clock.now()
        for job in jobs:
            self._tell.inserted(job)
            if job.parents:
                # Its parents may be done already: the table knows.
                self._demand.due_at(job.queue, now)
            elif job.scheduled_in_seconds > 0:
                self._demand.due_at(job.queue, now + timedelta(seconds=job.scheduled_in_seconds))
            else:
                self._demand.came(job.queue, job.batch_id)
        self._wake(job.queue for job in jobs)

    async def fill(self, queue: str) -> int:
        """Claim what the queue's free slots can take and hand it over; returns how many."""
        # A queue that is killed between a claim's commit and its hand-over must not lose the claim.
        return await self._background.finish(self._fill(queue))

    async def _fill(self, queue: str) -> int:
        async with self._filling[queue]:
            nodes = self.ledger.free_slots(queue)
            worth = self._demand.worth_a_claim(queue, self.clock.now())
            if not nodes or not worth or self.dispatch is None or self.draining:
                return 0
            claims = await self._claim(queue, nodes)
            expires = self.clock.monotonic() + self.config.lease_seconds
            for claim in claims:
                for job in claim.jobs:
                    self.ledger.take(Lease(job, claim.node, expires, slot=claim.slot))
        self._hand_over([claim for claim in claims if claim.node in self.ledger.nodes])
        for claim in claims:
            if claim.node not in self.ledger.nodes:
                for job in claim.jobs:
                    await self.lost(job.lease_id, "its Dask worker left before it began")
        return sum(len(claim.jobs) for claim in claims)

    async def _claim(self, queue: str, nodes: list[str]) -> list[Claim]:
        """Claim for these slots in one transaction, and tell the demand what that showed."""
        now = self.clock.now()
        arrivals = self._demand.arrivals(queue)
        stage = self._demand.is_due(queue, now)
        turns = {} if stage else self._demand.turns(queue)

        def work(session: Session) -> tuple[datetime | None, list[Claim], bool]:
            due = table.stage_due(session, queue, now) if stage else None
            return due, *claim_slots(session, queue, nodes, self.kinds, turns)

        due, claims, emptied = await self._store().write("claim", work)
        if stage:
            self._demand.staged(queue, arrivals, due)
        self._demand.claimed(queue, arrivals, emptied, {claim.jobs[0].batch_id for claim in claims})
        return claims

    def _hand_over(self, claims: Sequence[Claim]) -> None:
        assert self.dispatch is not None
        try:
            self.dispatch.submit(claims)
        except Exception:
            # Their leases run out and the jobs are taken up again then: trying at once would spin.
            names = ", ".join(job.job_id for claim in claims for job in claim.jobs)
            log.exception("jobs could not be handed over: %s", names)

    def is_due(self, queue: str) -> bool:
        """Whether a scheduled or retryable job's time may have come since the last claim."""
        return self._demand.is_due(queue, self.clock.now())

    # -- the run --------------------------------------------------------------------------------

    async def started(self, start: Start) -> int | None:
        """Count a start once it is committed; None where the lease is dead and the run must not go on."""
        lease = self.ledger.get(start.lease_id)
        if lease is None or lease.cancel_reason is not None or lease.starting:
            return None
        # A lease starts once, whatever Dask does with its task.
        lease.starting = True
        try:
            attempt = await self._start(start)
        except BaseException:
            lease.starting = False
            raise
        lease = self.ledger.get(start.lease_id)
        if attempt is None or lease is None:
            return None
        lease.started = True
        lease.started_monotonic = self.clock.monotonic()
        lease.job = dataclasses.replace(lease.job, attempt=attempt)
        self._tell.started(lease)
        # The cancel that came meanwhile found nothing to end on the node.
        return None if lease.cancel_reason is not None else attempt

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

    async def finished(self, lease_id: str, outcome: Outcome) -> bool:
        """Acknowledge a run's end; False where its lease was dead and nothing changed."""
        lease = self.ledger.get(lease_id)
        if lease is None or lease.ending:
            log.info("a late answer of the lease %s changed nothing", lease_id)
            return False
        if lease.cancel_reason is not None:
            outcome = Cancel(lease.cancel_reason)
        lease.ending = True
        return await self._background.finish(self._end(lease, outcome))

    async def _end(self, lease: Lease, outcome: Outcome) -> bool:
        try:
            ack = await self._ack_for(lease, outcome)
            return await self._record_end(lease, ack)
        except Exception as error:
            if isinstance(error, StoreError) and error.kind in (CLOSED, FULL):
                # No fault of the job: its lease runs out, and it is taken up again.
                raise
            log.exception("what %s made could not be recorded", lease.job.job_id)
            wait = backoff_seconds(lease.job.attempt)
            ack = verdict.retried(lease, verdict.unrecorded(error), self.clock.now(), wait)
            return await self._record_end(lease, ack)
        finally:
            lease.ending = False

    async def _record_end(self, lease: Lease, ack: Ack) -> bool:
        answer = await self._acknowledged(ack)
        self._settle(lease, ack, answer)
        return answer.accepted

    async def lost(self, lease_id: str, reason: str) -> bool:
        """A run whose node died, or that never came back: take the job up again."""
        lease = self.ledger.get(lease_id)
        if lease is None or lease.ending:
            return False
        log.warning("job %s was lost: %s", lease.job.job_id, reason)
        lease.ending = True
        return await self._background.finish(self._rescue(lease, reason))

    async def _rescue(self, lease: Lease, reason: str) -> bool:
        try:
            return await self._record_end(lease, verdict.rescued(lease, reason))
        finally:
            lease.ending = False

    async def reconcile(self) -> int:
        """At a start, once: whatever stands as executing belonged to an application that ended."""
        async with self._reconciling:
            if self._reconciled:
                return 0
            rows = await self._store().read("executing", table.executing)
            acks = [verdict.left_executing(row) for row in rows if self.ledger.get(row["lease_id"]) is None]
            await asyncio.gather(*map(self._acknowledge, acks))
            leased = {lease.lease_id for lease in self.ledger.leases()}
            await asyncio.to_thread(files.sweep, self.config.staging_folder, leased)
            await self.controls.load()
            self._reconciled = True
            return len(acks)

    async def rescue_orphans(self) -> list[str]:
        """Take up what executes in the table without a lease here, as seen twice; returns the leases."""
        rows = await self._store().read("executing", table.executing)
        orphans = {row["lease_id"]: row for row in rows if self.ledger.get(row["lease_id"]) is None}
        # Seen once it may be a claim on its way to the ledger, or an end that was just recorded.
        acks = [
            verdict.left_executing(row, "Its lease was lost.")
            for lease_id, row in orphans.items()
            if lease_id in self._suspects
        ]
        self._suspects = set(orphans)
        if acks:
            log.warning("%s jobs without a lease are taken up again", len(acks))
            await asyncio.gather(*map(self._acknowledge, acks))
            for queue in self.wake:
                self._demand.may_have_come(queue)
            self._wake(self.wake)
        return [ack.lease_id for ack in acks]

    # -- requests ---------------------------------------------------------------------------------

    async def cancel(self, job_ids: Sequence[str], reason: str) -> int:
        """Cancel jobs, running ones by ending their child; returns how many it concerned."""
        now = self.clock.now()
        error = verdict.plain_error(reason, "cancelled")
        rows = await self._store().write(
            "cancel", lambda session: table.cancel_waiting(session, job_ids, error, now)
        )
        for row in rows:
            self._tell.row(row, State.CANCELLED)
        leases = [self.ledger.of_job(job_id) for job_id in dict.fromkeys(job_ids)]
        running = [lease for lease in leases if lease is not None and not lease.ending]
        for lease in running:
            lease.cancel_reason = reason
        await asyncio.gather(*(self._stop_run(lease, reason) for lease in running))
        await self.finish_batches([row["job_id"] for row in rows])
        return len(rows) + len(running)

    async def repeat_cancels(self) -> None:
        """Ask again for the end of what still runs though it was cancelled: a start may have crossed it."""
        for lease in self.ledger.leases():
            if lease.cancel_reason is not None and not lease.ending:
                self.stop_run(lease, lease.cancel_reason)

    def stop_run(self, lease: Lease, reason: str) -> None:
        """Ask a node to stop a lease's work, without waiting for its answer."""
        self._background.start(self._stop_run(lease, reason))

    async def _stop_run(self, lease: Lease, reason: str) -> None:
        if self.dispatch is None:
            return
        try:
            await asyncio.wait_for(self.dispatch.cancel(lease, reason), CANCEL_SECONDS)
        except Exception as error:
            log.warning("%s did not take the cancel of %s: %r", lease.node, lease.job.job_id, error)

    async def retry(self, job_ids: Sequence[str]) -> int:
        """Give discarded and cancelled jobs another try, and what hangs on them; returns how many."""
        now = self.clock.now()

        def work(session: Session) -> list[dict[str, Any]]:
            rows = table.retry_jobs(session, job_ids, 1, now)
            batches.reopen_batches(session, [row["job_id"] for row in rows])
            return rows

        rows = await self._store().write("retry", work)
        for row in rows:
            self._tell.row(row, State(row["state"]))
            self._demand.came(row["queue"], row["batch_id"])
        self._wake(row["queue"] for row in rows)
        return len(rows)

    async def run_now(self, job_ids: Sequence[str]) -> int:
        """Start jobs that wait for their time as soon as there is a slot; returns how many."""
        now = self.clock.now()
        rows = await self._store().write("run_now", lambda session: table.run_now(session, job_ids, now))
        for row in rows:
            self._tell.row(row, State(row["state"]))
            self._demand.came(row["queue"], row["batch_id"])
        self._wake(row["queue"] for row in rows)
        return len(rows)

    def _control_changed(self, queue: str) -> None:
        self._tell.control(self.controls.as_json(queue))
        self._wake([queue])

    async def _limits_changed(self, limits: Mapping[str, int]) -> None:
        if self.dispatch is not None:
            await self.dispatch.set_limits(limits)

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
        await asyncio.to_thread(files.move_into_place, record.moves)
        return verdict.completed(lease.job, record)

    async def _acknowledged(self, ack: Ack) -> Acknowledged:
        """Acknowledge; while the store is being opened again, or has no room, repeat it."""
        waits = iter(REPEAT_SECONDS)
        while True:
            try:
                return await self._acknowledge(ack)
            except StoreError as error:
                # Room may take a person's morning: what was computed meanwhile waits for it.
                wait = FULL_SECONDS if error.kind == FULL else next(waits, None)
                if error.kind not in (CLOSED, FULL) or wait is None or self.draining:
                    raise
                await asyncio.sleep(wait)

    def _settle(self, lease: Lease, ack: Ack, answer: Acknowledged) -> None:
        """After the commit: free the slot, tell everyone, wake the queues."""
        released = self.ledger.release(lease.lease_id)
        if lease.staged:
            staging = self.config.staging_folder / lease.lease_id
            self._background.start(asyncio.to_thread(files.drop, staging))
        self._note_work(lease, ack, answer)
        if released is None or not answer.accepted:
            return
        lease.progress, lease.message = ack.progress, ack.message
        seconds = self.clock.monotonic() - lease.started_monotonic if lease.started else 0.0
        self._tell.ended(lease, ack.state, seconds)
        for row in answer.followers:
            self._tell.row(row, State.CANCELLED)
        for row in answer.released:
            if row["state"] == State.AVAILABLE:
                self._tell.row(row, State.AVAILABLE)
        if ack.state in FINISHED:
            ended = [row["job_id"] for row in answer.followers if row["batch_id"]]
            if lease.job.batch_id is not None:
                # Only what belongs to a batch can end one, its own or another that waits for it too.
                ended.append(ack.job_id)
            for job_id in ended:
                self._background.start(self._see_to_batches(job_id))

    def _note_work(self, lease: Lease, ack: Ack, answer: Acknowledged) -> None:
        """Wake the queues for which an end means a free slot, or something to do."""
        queue = lease.job.queue
        queues = {queue}
        if ack.state is State.AVAILABLE:
            self._demand.came(queue, lease.job.batch_id)
        elif ack.scheduled_at is not None:
            self._demand.due_at(queue, ack.scheduled_at)
        for row in answer.released:
            queues.add(row["queue"])
            if row["state"] == State.AVAILABLE:
                self._demand.came(row["queue"], row["batch_id"])
            elif row["waits_for"] == 0:
                self._demand.due_at(row["queue"], row["scheduled_at"])
        self._wake(queues)

    async def finish_batches(self, job_ids: Sequence[str] | None) -> None:
        """See to the batches of these jobs, or all, in which nothing is left to do."""
        if job_ids is not None and not job_ids:
            return
        done = await self._store().read(
            "done_batches", lambda session: batches.done_batches(session, job_ids)
        )
        for batch_id in done:
            self.on_batch_finished(batch_id)

    async def finish_batch_if_done(self, batch_id: str) -> None:
        """For a batch that may have nothing to do from its beginning."""
        if await self._store().read(
            "done_batches", lambda session: batches.done_batches(session, batch_id=batch_id)
        ):
            self.on_batch_finished(batch_id)

    # -- groups and tasks -------------------------------------------------------------------------

    async def _flush_starts(self, starts: list[Start]) -> list[int | None]:
        now = self.clock.now()
        attempts = await self._store().write(
            "start", lambda session: table.start_attempts(session, starts, now)
        )
        return [attempts.get(start.lease_id) for start in starts]

    async def _flush_acks(self, acks: list[Ack]) -> list[Acknowledged]:
        now = self.clock.now()
        return await self._store().write("acknowledge", lambda session: table.acknowledge(session, acks, now))

    async def _look_at_batches(self, job_ids: list[str]) -> list[None]:
        await self.finish_batches(job_ids)
        return [None] * len(job_ids)

    async def settled(self) -> None:
        """Until what was begun in the background is over."""
        await self._background.settled()

    def _wake(self, queues: Iterable[str]) -> None:
        for queue in set(queues):
            event = self.wake.get(queue)
            if event is not None:
                event.set()
