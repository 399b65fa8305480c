"""The runs of claimed jobs to their ends, and what follows those.

As with starts, the way of each is made of calls, not of tasks: what changes in the store gathers in groups,
and what follows a commit is done for one after the other.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial

from soundforge_nb.errors import StoreError
from soundforge_nb.jobs import batches, files, verdict
from soundforge_nb.jobs import begun as begun_marks
from soundforge_nb.jobs.background import Background
from soundforge_nb.jobs.backoff import backoff_seconds
from soundforge_nb.jobs.demand import Demand
from soundforge_nb.jobs.ends import Ack, Acknowledged
from soundforge_nb.jobs.grouped import Grouped, resolve
from soundforge_nb.jobs.job import Cancel, Completed, Outcome
from soundforge_nb.jobs.ledger import Lease
from soundforge_nb.jobs.parts import Parts
from soundforge_nb.jobs.starting import Starting
from soundforge_nb.jobs.states import FINISHED, State
from soundforge_nb.store.faults import CLOSED, FULL

log = logging.getLogger(__name__)

#: Waits before an acknowledgement is repeated while the store is being opened again.
REPEAT_SECONDS = (0.05, 0.2, 0.5, 1.0, 2.0)
#: How often an end is tried that found no room on the disk.
FULL_SECONDS = 2.0

#: Told whether an end was recorded, or why it could not be.
Ended = Callable[[bool | Exception], None]


def _unheard(answer: object) -> None:
    return


class Runs(Starting):
    """What the engine does from a start to its end: the base of `Filling`, and so of `Engine`."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts)
        self.on_batch_finished: Callable[[str], None] = lambda batch_id: None
        #: While true nothing new is handed out: the application is about to end.
        self.draining = False
        self._acknowledge = Grouped[Ack, Acknowledged](self._recorder.ends)
        self._see_to_batches = Grouped[str, None](self._look_at_batches)
        self._background = Background()
        self._demand = Demand(parts.ledger.limits)

    # -- ends -------------------------------------------------------------------------------------

    async def finished(self, lease_id: str, outcome: Outcome) -> bool:
        """Acknowledge a run's end; False where its lease was dead and nothing changed."""
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.end(lease_id, outcome, partial(resolve, future))
        return await future

    def end(self, lease_id: str, outcome: Outcome, ended: Ended = _unheard) -> None:
        """As `finished`, for many at once: `ended` is told, and the work goes on whoever asked for it."""
        lease = self.ledger.get(lease_id)
        if lease is None or lease.ending:
            log.info("a late answer of the lease %s changed nothing", lease_id)
            ended(False)
            return
        if lease.cancel_reason is not None:
            outcome = Cancel(lease.cancel_reason)
        lease.ending = True
        ack = self._light_ack(lease, outcome)
        if ack is None:
            self._background.start(self._end(lease, outcome, ended))
        else:
            self._acknowledge.put(ack, partial(self._ended, lease, outcome, ack, ended))

    def _light_ack(self, lease: Lease, outcome: Outcome) -> Ack | None:
        """The acknowledgement of an end that asks for neither files nor a kind's own record."""
        if lease.job.kind not in self.kinds:
            return None
        kind, now = self.kinds[lease.job.kind], self.clock.now()
        if not isinstance(outcome, Completed):
            return verdict.ended(lease, outcome, now, kind.backoff_seconds(kind.spent_attempts(lease.job)))
        if kind.records:
            return None
        return verdict.completed(lease.job, kind.record(lease.job, outcome.result, self.config, now))

    def _ended(
        self, lease: Lease, outcome: Outcome, ack: Ack, ended: Ended, answer: Acknowledged | Exception
    ) -> None:
        if isinstance(answer, Exception):
            # Seldom, and it takes time: the store is away or full, or what it made is refused.
            self._background.start(self._end(lease, outcome, ended))
            return
        lease.ending = False
        self._settle(lease, ack, answer)
        ended(answer.accepted)

    async def _end(self, lease: Lease, outcome: Outcome, ended: Ended) -> None:
        try:
            accepted = await self._recorded(lease, outcome)
        except Exception as error:
            ended(error)
            if ended is _unheard:
                raise
        else:
            ended(accepted)
        finally:
            lease.ending = False

    async def _recorded(self, lease: Lease, outcome: Outcome) -> bool:
        try:
            ack = await self._ack_for(lease, outcome)
            return await self._record_end(lease, ack)
        except Exception as error:
            if isinstance(error, StoreError) and error.kind in (CLOSED, FULL):
                # No fault of the job: its lease runs out, and it is taken up again.
                raise
            log.exception("what %s made could not be recorded", lease.job.job_id)
            kind = lease.job.kind
            spent = self.kinds[kind].spent_attempts(lease.job) if kind in self.kinds else lease.job.attempt
            wait = backoff_seconds(spent)
            ack = verdict.retried(lease, verdict.unrecorded(error), self.clock.now(), wait)
            return await self._record_end(lease, ack)

    async def _ack_for(self, lease: Lease, outcome: Outcome) -> Ack:
        if (ack := self._light_ack(lease, outcome)) is not None:
            return ack
        kind = self.kinds[lease.job.kind]
        assert isinstance(outcome, Completed)
        record = await asyncio.to_thread(
            kind.record, lease.job, outcome.result, self.config, self.clock.now()
        )
        await asyncio.to_thread(files.move_into_place, record.moves)
        return verdict.completed(lease.job, record)

    async def _record_end(self, lease: Lease, ack: Ack) -> bool:
        answer = await self._acknowledged(ack)
        self._settle(lease, ack, answer)
        return answer.accepted

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

    async def lost(self, lease_id: str, reason: str, *, began: bool | None = None) -> bool:
        """A run whose node died, or that never came back: take the job up again.

        `began`: whether it had really begun, where that is known.
        """
        lease = self.ledger.get(lease_id)
        if lease is None or lease.ending:
            return False
        log.warning("job %s was lost: %s", lease.job.job_id, reason)
        lease.ending = True
        return await self._background.finish(self._rescue(lease, reason, began))

    async def _rescue(self, lease: Lease, reason: str, began: bool | None) -> bool:
        try:
            if began is None:
                began = await self._may_have_begun(lease)
            return await self._record_end(lease, verdict.rescued(lease, reason, began))
        finally:
            lease.ending = False

    async def _may_have_begun(self, lease: Lease) -> bool:
        """Whether a lease's run may have begun: of a chunk's, its Dask worker left a mark."""
        if not lease.started or not self._in_chunks(lease):
            return True
        file = begun_marks.marks_file(self.config.staging_folder, lease.slot)
        return lease.lease_id in await asyncio.to_thread(begun_marks.marked, file)

    def _in_chunks(self, lease: Lease) -> bool:
        return lease.job.kind in self.kinds and self.kinds[lease.job.kind].in_chunks

    # -- what follows an end ----------------------------------------------------------------------

    def _settle(self, lease: Lease, ack: Ack, answer: Acknowledged) -> None:
        """After the commit: free the slot, tell everyone, wake the queues."""
        released = self.ledger.release(lease.lease_id)
        if lease.staged:
            staging = self.config.staging_folder / lease.lease_id
            self._background.start(asyncio.to_thread(files.drop, staging))
        if not self.ledger.is_taken(lease.slot) and self._in_chunks(lease):
            marks = begun_marks.marks_file(self.config.staging_folder, lease.slot)
            self._background.start(asyncio.to_thread(files.drop, marks))
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
                self._see_to_batches.put(job_id, _log_failure)

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

    # -- groups -----------------------------------------------------------------------------------

    async def _look_at_batches(self, job_ids: list[str]) -> list[None]:
        await self.finish_batches(job_ids)
        return [None] * len(job_ids)

    async def settled(self) -> None:
        """Until what was begun in the background is over."""
        for group in (self._start, self._acknowledge, self._see_to_batches):
            await group.settled()
        await self._background.settled()


def _log_failure(answer: object) -> None:
    if isinstance(answer, Exception):
        log.warning("a batch could not be looked at: %r", answer)
