"""Jobs come in, and go out to the slots: insertion, claims, and their hand-over to what runs them."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from soundforge_nb.jobs import folding, insertion, table, waiting
from soundforge_nb.jobs.claiming import Claim, Slots, claim_slots, claimed_at_once
from soundforge_nb.jobs.job import NewJob
from soundforge_nb.jobs.ledger import Lease
from soundforge_nb.jobs.parts import Parts
from soundforge_nb.jobs.runs import Runs
from soundforge_nb.store.journal import Event
from soundforge_nb.store.session import Session

log = logging.getLogger(__name__)

#: Of more jobs than this, inserted at once and alike, one message tells.
TOLD_EACH = 100


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


class Filling(Runs):
    """What the engine does from a job's insertion to its hand-over."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self.dispatch: Dispatch | None = None
        self._filling: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        #: Queues for which jobs were noted that the table was not told of: a claim must see them.
        self._noted: set[str] = set()

    # -- in ---------------------------------------------------------------------------------------

    async def insert(self, jobs: Sequence[NewJob]) -> None:
        """Make jobs durable, then let their queues know."""
        now = self.clock.now()
        await self._store().write("insert_jobs", lambda session: insertion.insert_jobs(session, jobs, now))
        self.inserted(jobs)

    async def insert_alike(
        self, like: NewJob, job_ids: Sequence[str], args: Sequence[dict[str, Any]], *, again: bool = False
    ) -> None:
        """Make jobs durable that are like one another but for their arguments; they have no parents.

        `again`: some of them may be there already. They are left as they are.
        """
        now = self.clock.now()
        if len(job_ids) <= TOLD_EACH and not again and not like.waits:
            pairs = zip(job_ids, args, strict=True)
            jobs = [dataclasses.replace(like, job_id=job_id, args=each) for job_id, each in pairs]
            # As a claim's: whoever asked for it may go away meanwhile.
            await self._background.finish(self._insert_few(jobs, now))
            return
        await self._store().write(
            "insert_jobs", lambda session: insertion.insert_alike(session, like, job_ids, args, now)
        )
        if len(job_ids) <= TOLD_EACH:
            for job_id in job_ids:
                self._tell.inserted(dataclasses.replace(like, job_id=job_id))
        else:
            self._tell.inserted(like, len(job_ids))
        self._note_arrival(like, now)
        self._wake([like.queue])

    async def _insert_few(self, jobs: Sequence[NewJob], now: datetime) -> None:
        """Note new jobs, and with them the claims of those for which slots are free and nobody waits."""
        queue = jobs[0].queue
        async with self._filling[queue]:
            claims = self._straight_claims(jobs, now)
            events = [folding.inserted(insertion.row_of(job, now)) for job in jobs]
            events += [event for claim in claims for event in self._events_of(claim, now)]
            await self._store().note("insert_jobs", events)
            self._take(claims)
            # First of all: who waits for it waits for nothing else.
            await self._run_claims(claims)
            for job in jobs:
                self._tell.inserted(job)
            for claim in claims:
                lease = self.ledger.get(claim.slot)
                if lease is not None and lease.started:
                    self._tell.started(lease)
            if len(claims) < len(jobs):
                self._noted.add(queue)
                self._note_arrival(jobs[-1], now)
        self._wake([queue])

    def _events_of(self, claim: Claim, now: datetime) -> list[Event]:
        """A straight claim, with its start where that is committed with it."""
        (job,) = claim.jobs
        events = [folding.claimed(job.job_id, job.lease_id, claim.node)]
        node = self.ledger.node(claim.node)
        if claim.pulse is not None and node is not None:
            start = folding.Start(job.job_id, job.lease_id, claim.node, node.host, job.attempt)
            events.append(folding.started(start, now))
        return events

    def _straight_claims(self, jobs: Sequence[NewJob], now: datetime) -> list[Claim]:
        """Claims of new jobs, without a look at the table: where it has nothing that would come first."""
        queue = jobs[0].queue
        if self.dispatch is None or self.draining or self._demand.worth_a_claim(queue, now):
            return []
        if self.ledger.free_gpus() is not None and self._wants_gpu(jobs[0].kind, jobs[0].args):
            return []
        claims = []
        for address, job in zip(self.ledger.free_slots(queue), jobs, strict=False):
            node = self.ledger.node(address)
            pulse = node.pulse if node is not None else None
            claims.append(Claim(address, (claimed_at_once(job, attempt=int(pulse is not None)),), pulse))
        return claims

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

    # -- out --------------------------------------------------------------------------------------

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
            self._take(claims)
        await self._run_claims(claims)
        return sum(len(claim.jobs) for claim in claims)

    def _take(self, claims: Sequence[Claim]) -> None:
        now = self.clock.monotonic()
        expires = now + self.config.lease_seconds
        for claim in claims:
            started = claim.pulse is not None
            for job in claim.jobs:
                lease = Lease(job, claim.node, expires, slot=claim.slot, starting=started, started=started)
                lease.started_monotonic = now
                self.ledger.take(lease)

    async def _run_claims(self, claims: Sequence[Claim]) -> None:
        if not claims:
            return
        self._hand_over([claim for claim in claims if claim.node in self.ledger.nodes])
        for claim in claims:
            if claim.node not in self.ledger.nodes:
                for job in claim.jobs:
                    await self.lost(job.lease_id, "its Dask worker left before it began", began=False)

    async def _claim(self, queue: str, nodes: list[str]) -> list[Claim]:
        """Claim for these slots in one transaction, and tell the demand what that showed."""
        now = self.clock.now()
        arrivals = self._demand.arrivals(queue)
        stage = self._demand.is_due(queue, now)
        turns = {} if stage else self._demand.turns(queue)
        slots = Slots(queue, nodes, self.ledger.free_gpus(), self._wants_gpu)

        def work(session: Session) -> tuple[datetime | None, list[Claim], bool]:
            due = waiting.stage_due(session, queue, now) if stage else None
            return due, *claim_slots(session, slots, self.kinds, turns, self.any_parents)

        # What is due by its time, and new, must have been told; what else was not, a claim leaves out.
        noted = queue in self._noted
        self._noted.discard(queue)
        try:
            due, claims, emptied = await self._store().write("claim", work, tell_first=stage or noted)
        except BaseException:
            self._noted.add(queue)
            raise
        if stage:
            self._demand.staged(queue, arrivals, due)
        self._demand.claimed(queue, arrivals, emptied, {claim.jobs[0].batch_id for claim in claims})
        return claims

    def _wants_gpu(self, kind: str, args: dict[str, Any]) -> bool:
        return kind in self.kinds and self.kinds[kind].wants_gpu(args, self.config)

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
