"""The engine: every change of a job's state goes through here, from insertion to acknowledgement.

It runs in the application's event loop and knows no Dask: what runs jobs is handed in as a `Dispatch`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from soundforge_nb.jobs import batches, begun, files, table, verdict, waiting
from soundforge_nb.jobs.controls import Controls
from soundforge_nb.jobs.filling import Filling
from soundforge_nb.jobs.ledger import Lease
from soundforge_nb.jobs.parts import Parts
from soundforge_nb.jobs.states import State
from soundforge_nb.store.session import Session

log = logging.getLogger(__name__)

#: A node that does not answer a cancel in this time is asked again by the lifeline.
CANCEL_SECONDS = 5.0


class Engine(Filling):
    """Inserts, claims, starts, acknowledges, cancels, rescues."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self.controls = Controls(
            self.ledger, self._store, changed=self._control_changed, limits_changed=self._limits_changed
        )
        self._reconciled = False
        self._reconciling = asyncio.Lock()
        self._suspects: set[str] = set()

    # -- what was left ----------------------------------------------------------------------------

    async def reconcile(self) -> int:
        """At a start, once: whatever stands as executing belonged to an application that ended."""
        async with self._reconciling:
            if self._reconciled:
                return 0
            rows = await self._store().read("executing", table.executing)
            left = [row for row in rows if self.ledger.get(row["lease_id"]) is None]
            acks = [verdict.left_executing(row, began) for row, began in await self._which_began(left)]
            await asyncio.gather(*map(self._acknowledge, acks))
            leased = {name for lease in self.ledger.leases() for name in (lease.lease_id, lease.slot)}
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
        lost = [row for lease_id, row in orphans.items() if lease_id in self._suspects]
        acks = [
            verdict.left_executing(row, began, "Its lease was lost.")
            for row, began in await self._which_began(lost)
        ]
        self._suspects = set(orphans)
        if acks:
            log.warning("%s jobs without a lease are taken up again", len(acks))
            await asyncio.gather(*map(self._acknowledge, acks))
            for queue in self.wake:
                self._demand.may_have_come(queue)
            self._wake(self.wake)
        return [ack.lease_id for ack in acks]

    async def _which_began(self, rows: Sequence[dict[str, Any]]) -> list[tuple[dict[str, Any], bool]]:
        """Rows that stand as executing, each with whether its run may have begun."""
        chunked = [row["kind"] in self.kinds and self.kinds[row["kind"]].in_chunks for row in rows]
        if not any(chunked):
            return [(row, True) for row in rows]
        began = await asyncio.to_thread(begun.all_marked, self.config.staging_folder)
        return [
            (row, not shared or row["lease_id"] in began) for row, shared in zip(rows, chunked, strict=True)
        ]

    # -- requests ---------------------------------------------------------------------------------

    async def cancel(self, job_ids: Sequence[str], reason: str) -> int:
        """Cancel jobs, running ones by ending their child; returns how many it concerned."""
        now = self.clock.now()
        error = verdict.plain_error(reason, "cancelled")
        # Before the table is asked: a start that is on its way is held back.
        self._mark_cancelled(job_ids, reason)
        rows = await self._store().write(
            "cancel", lambda session: waiting.cancel_waiting(session, job_ids, error, now)
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
            rows = waiting.retry_jobs(session, job_ids, 1, now)
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
        rows = await self._store().write("run_now", lambda session: waiting.run_now(session, job_ids, now))
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
