"""The scheduler's side of a job's run: one Dask task for each claimed job, its end brought back."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import distributed
from distributed.scheduler import Scheduler

from soundforge_nb.cluster.plugin import execute
from soundforge_nb.jobs.engine import Engine
from soundforge_nb.jobs.job import Job, outcome_from_json
from soundforge_nb.jobs.ledger import Lease

log = logging.getLogger(__name__)


class DaskDispatch:
    """Submits jobs to the Dask worker whose slot they were given."""

    def __init__(self, scheduler: Scheduler, client: distributed.Client, engine: Engine) -> None:
        self._scheduler = scheduler
        self._client = client
        self._engine = engine
        self._following: dict[str, asyncio.Task[None]] = {}

    def submit(self, job: Job, node: str) -> None:
        """Hand one claimed job to Dask; its queue is the resource it asks for."""
        future = self._client.submit(
            execute,
            json.dumps(job.as_json()),
            key=f"{job.kind}-{job.job_id}-{job.lease_id}",
            workers=[node],
            allow_other_workers=False,
            resources={job.queue: 1},
            retries=0,
            pure=False,
        )
        task = asyncio.create_task(self._follow(job.lease_id, future), name=f"follow-{job.lease_id}")
        self._following[job.lease_id] = task
        task.add_done_callback(lambda _: self._following.pop(job.lease_id, None))

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

    def forget(self, lease_id: str) -> None:
        """Stop waiting for a lease that is dead, and have Dask drop its task."""
        task = self._following.pop(lease_id, None)
        if task is not None:
            task.cancel()

    def close(self) -> None:
        """Stop waiting for anything: the application ends, what runs is taken up at its next start."""
        for task in list(self._following.values()):
            task.cancel()

    async def _follow(self, lease_id: str, future: Any) -> None:
        try:
            answer: dict[str, Any] = json.loads(await future)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            await self._engine.lost(lease_id, f"its Dask task did not return ({type(error).__name__})")
            return
        finally:
            future.release()
        if answer["outcome"] == "interrupted":
            await self._engine.lost(lease_id, "its Dask worker ended")
        elif answer["outcome"] == "refused":
            await self._engine.lost(lease_id, "its start was refused")
        else:
            await self._engine.finished(lease_id, outcome_from_json(answer))
