"""The scheduler's side of a job's run: a Dask task for what was claimed, and its end brought back."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import defaultdict
from collections.abc import Coroutine, Mapping, Sequence
from functools import partial
from typing import Any

from distributed.scheduler import Scheduler

from soundforge_nb.cluster import streams
from soundforge_nb.cluster.gpus import GPU
from soundforge_nb.cluster.plugin import execute
from soundforge_nb.cluster.submission import Submission
from soundforge_nb.jobs.claiming import Claim
from soundforge_nb.jobs.engine import Engine
from soundforge_nb.jobs.folding import Start
from soundforge_nb.jobs.job import outcome_from_json
from soundforge_nb.jobs.ledger import Lease

log = logging.getLogger(__name__)


class DaskDispatch:
    """Submits jobs to the Dask worker whose slot they were given, and hears what it says of them."""

    def __init__(self, scheduler: Scheduler, submission: Submission, engine: Engine) -> None:
        self._scheduler = scheduler
        self._submission = submission
        self._engine = engine
        #: Of each Dask task, by its key, the leases of its jobs whose end was not told yet.
        self._tasks: dict[str, set[str]] = {}
        self._key_of: dict[str, str] = {}
        self._background: set[asyncio.Task[Any]] = set()
        scheduler.stream_handlers.update(
            {
                streams.STARTED: self._started,
                streams.PROGRESS: self._progressed,
                streams.ALIVE: self._alive,
                streams.ENDED: self._ended,
                streams.PORT: self._of_port,
            }
        )

    def submit(self, claims: Sequence[Claim]) -> None:
        """Hand slots' jobs to Dask, one task a slot; its queue, and a GPU, are what a task asks for."""
        by_place: defaultdict[tuple[str, str, bool], list[Claim]] = defaultdict(list)
        for claim in claims:
            by_place[claim.node, claim.jobs[0].queue, claim.jobs[0].gpu].append(claim)
        for (node, queue, gpu), there in by_place.items():
            payloads = {}
            for claim in there:
                key = f"{claim.jobs[0].kind}-{claim.jobs[0].job_id}-{claim.slot}"
                jobs = [job.as_json() for job in claim.jobs]
                payloads[key] = json.dumps({"jobs": jobs, "pulse": claim.pulse})
                self._tasks[key] = {job.lease_id for job in claim.jobs}
                self._key_of.update(dict.fromkeys(self._tasks[key], key))
            resources = {queue: 1, GPU: 1} if gpu else {queue: 1}
            self._submission.submit(execute, payloads, node, resources)

    async def cancel(self, lease: Lease, reason: str) -> None:
        """Have the Dask worker end the lease's child; one that is gone has none."""
        if lease.node not in self._scheduler.workers:
            return
        answers = await self._scheduler.broadcast(
            msg={"op": "soundforge_cancel", "lease_id": lease.lease_id, "reason": reason},
            workers=[lease.node],
            on_error="return",
        )
        log.info("cancel of %s on %s: %r", lease.job.job_id, lease.node, answers)

    async def set_limits(self, limits: Mapping[str, int]) -> None:
        """Have every Dask worker mirror the queues' limits as its resources."""
        if not self._scheduler.workers:
            return
        answers = await self._scheduler.broadcast(
            msg={"op": "soundforge_limits", "limits": dict(limits)}, on_error="return"
        )
        for address, answer in answers.items():
            if answer is not None:
                log.warning("%s did not take the limits: %r", address, answer)

    def forget(self, lease_id: str) -> None:
        """Wait no more for a lease that is dead; with its last one Dask drops the task."""
        key = self._close_lease(lease_id)
        if key in self._tasks and not self._tasks[key]:
            del self._tasks[key]
            self._submission.release(key)

    def _close_lease(self, lease_id: str) -> str:
        """Its end is known; returns its task. Dask itself says when that is over and may be let go."""
        key = self._key_of.pop(lease_id, "")
        if key in self._tasks:
            self._tasks[key].discard(lease_id)
        return key

    def close(self) -> None:
        """Stop waiting for anything: the application ends, what runs is taken up at its next start."""
        for name in (streams.STARTED, streams.PROGRESS, streams.ALIVE, streams.ENDED, streams.PORT):
            self._scheduler.stream_handlers[name] = _ignore
        self._tasks.clear()
        self._key_of.clear()
        for task in list(self._background):
            task.cancel()

    def returned(self, key: str, how: str) -> None:
        """A Dask task is over: what it did not tell the end of is lost."""
        leases = self._tasks.pop(key, None)
        if leases is not None:
            self._submission.over(key)
            for lease_id in leases:
                self._key_of.pop(lease_id, None)
                self._start(self._engine.lost(lease_id, f"its Dask task did not say how it ended ({how})"))

    # -- what Dask workers say --------------------------------------------------------------------

    def _started(self, jobs: list[tuple[str, str]], dask_worker: str, host: str, worker: str) -> None:
        starts = [Start(job_id, lease_id, dask_worker, host) for job_id, lease_id in jobs]
        self._engine.begin(starts, partial(self._answer_starts, starts[0].lease_id, worker))

    def _answer_starts(self, first: str, worker: str, attempts: dict[str, int] | Exception) -> None:
        if isinstance(attempts, Exception):
            log.warning("the start of the lease %s could not be counted: %s", first, attempts)
            attempts = {}
        stream = self._scheduler.stream_comms.get(worker)
        if stream is not None and not stream.closed():
            stream.send(streams.may_start(first, attempts))

    def _progressed(self, lease_id: str, percent: int, message: str, worker: str) -> None:
        self._engine.progressed(lease_id, percent, message)

    def _alive(self, lease_ids: list[str], pulse: int, worker: str) -> None:
        self._engine.heard(worker, lease_ids, pulse)

    def _ended(self, ends: list[streams.End], worker: str) -> None:
        for lease_id, outcome, staged in ends:
            self._end(lease_id, outcome, staged)

    def _end(self, lease_id: str, outcome: str, staged: bool) -> None:
        self._close_lease(lease_id)
        lease = self._engine.ledger.get(lease_id)
        if lease is not None:
            lease.staged = staged
        answer = json.loads(outcome)
        if answer == streams.INTERRUPTED:
            self._start(self._engine.lost(lease_id, "its Dask worker ended"))
        elif answer == streams.REFUSED:
            self._start(self._engine.lost(lease_id, "its start was refused", began=False))
        else:
            self._engine.end(lease_id, outcome_from_json(answer), partial(_note_failure, lease_id))

    def _of_port(
        self, event: str, measurements: dict[str, float], metadata: dict[str, Any], worker: str
    ) -> None:
        self._engine.telemetry.execute(event, measurements, {**metadata, "dask_worker": worker})

    def _start(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[Any]) -> None:
        self._background.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            # Its lease runs out, and the job is taken up again.
            log.warning("an end could not be recorded: %s", error)


def _note_failure(lease_id: str, answer: bool | Exception) -> None:
    if isinstance(answer, Exception):
        # Its lease runs out, and the job is taken up again.
        log.warning("the end of the lease %s could not be recorded: %s", lease_id, answer)


def _ignore(**message: Any) -> None:
    return
