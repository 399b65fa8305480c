"""The engine: every change of a job's state goes through here, from insertion to acknowledgement.

It runs in the application's event loop and knows no Dask: what runs jobs is handed in as a `Dispatch`.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from soundforge_nb.jobs import batches, files, table, verdict
from soundforge_nb.jobs.claiming import Claim, claim_slots
from soundforge_nb.jobs.controls import Controls
from soundforge_nb.jobs.job import NewJob
from soundforge_nb.jobs.ledger import Lease
from soundforge_nb.jobs.runs import Parts, Runs
from soundforge_nb.jobs.states import State
from soundforge_nb.store.session import Session

log = logging.getLogger(__name__)

#: Of more jobs than this, inserted at once and alike, one message tells.
TOLD_EACH = 100
#: A node that does not answer a cancel in this time is asked again by the lifeline.
CANCEL_SECONDS = 5.0


class Dispatch(Protocol):
    """What runs jobs: Dask, or a test's own."""

    def submit(self, claims: Sequence[Claim]) -> None:
        """Run what was claimed, a slot's jobs in order; ends come back by `Engine.end` or `lost`."""
        ...

    async def cancel(self, lease: Lease, reason: str) -> None:
        """Ask the node to stop a lease's work; asking twice does no harm."""
        ...

    async def set_limits(self, limits: Mapping[str, int]) -> None:
        """Tell the nodes how many jobs of each queue they run at once from now on."""
        ...


class Engine(Runs):
    """Inserts, claims, starts, acknowledges, cancels, rescues."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self.dispatch: Dispatch | None = None
        self.controls = Controls(
            self.ledger, self._store, changed=self._control_changed, limits_changed=self._limits_changed
        )
        self._filling: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._reconciled = False
        self._reconciling = asyncio.Lock()
        self._suspects: set[str] = set()

    # -- in -----------------------------------------------------------------------------------

    async def insert(self, jobs: Sequence[NewJob]) -> None:
        """Make jobs durable, then let their queues know."""
        now = self.clock.now()
        await self._store().write("insert_jobs", lambda session: table.insert_jobs(session, jobs, now))
        self.inserted(jobs)

    async def insert_alike(
        self, like: NewJob, job_ids: Sequence[str], args: Sequence[dict[str, Any]]
    ) -> None:
        """Make jobs durable that are like one another but for their arguments; they have no parents."""
        now = self.clock.now()
        await self._store().write(
            "insert_jobs", lambda session: table.insert_alike(session, like, job_ids, args, now)
        )
        if len(job_ids) <= TOLD_EACH:
            for job_id in job_ids:
                self._tell.inserted(dataclasses.replace(like, job_id=job_id))
        else:
            self._tell.inserted(like, len(job_ids))
        self._note_arrival(like, now)
        self._wake([like.queue])

    async def known(self, job_ids: Sequence[str]) -> set[str]:
        """Which of these jobs exist."""
        rows = await self._store().read("known_jobs", lambda session: table.get_jobs(session, job_ids))
        return {row["job_id"] for row in rows}

    def inserted(self, jobs: Sequence[NewJob]) -> None:
        """Tell of jobs that were inserted within a caller's own transaction."""
        now = self.clock.now()
        for job in jobs:
            self._tell.inserted(job)
            self._note_arrival(job, now)
        self._wake(job.queue for job in jobs)

    def _note_arrival(self, job: NewJob, now: datetime) -> None:
        if job.parents:
            self.any_parents = True
            # A child of one that ended badly is cancelled at once.
            self.counting.forget()
            # Its parents may be done already: the table knows.
            self._demand.due_at(job.queue, now)
        elif job.scheduled_in_seconds > 0:
            self._demand.due_at(job.queue, now + timedelta(seconds=job.scheduled_in_seconds))
        else:
            self._demand.came(job.queue, job.batch_id)

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
            return due, *claim_slots(session, queue, nodes, self.kinds, turns, self.any_parents)

        # What is due by its time must have been told; beyond that a claim leaves out what was not.
        due, claims, emptied = await self._store().write("claim", work, tell_first=stage)
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
            # Where a job with parents came meanwhile that stays known.
            self.any_parents = self.any_parents or await self._store().read("parents", table.any_parents)
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
        # Before the table is asked: a start that is on its way is held back.
        self._mark_cancelled(job_ids, reason)
        rows = await self._store().write(
            "cancel", lambda session: table.cancel_waiting(session, job_ids, error, now)
        )
        if rows:
            self.counting.forget()
        for row in rows:
            self._tell.row(row, State.CANCELLED)
        running = self._mark_cancelled(job_ids, reason)
        await asyncio.gather(*(self._stop_run(lease, reason) for lease in running))
        await self.finish_batches([row["job_id"] for row in rows])
        return len(rows) + len(running)

    def _mark_cancelled(self, job_ids: Sequence[str], reason: str) -> list[Lease]:
        """Mark what is claimed or runs among these jobs; returns it."""
        leases = [self.ledger.of_job(job_id) for job_id in dict.fromkeys(job_ids)]
        running = [lease for lease in leases if lease is not None and not lease.ending]
        for lease in running:
            lease.cancel_reason = reason
        return running

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
            async with asyncio.timeout(CANCEL_SECONDS):
                await self.dispatch.cancel(lease, reason)
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
        self.counting.forget()
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

    async def finish_batch_if_done(self, batch_id: str) -> None:
        """For a batch that may have nothing to do from its beginning."""
        if await self._store().read(
            "done_batches", lambda session: batches.done_batches(session, batch_id=batch_id)
        ):
            self.on_batch_finished(batch_id)
