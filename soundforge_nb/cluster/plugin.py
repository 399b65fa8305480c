"""The Dask worker's side: its slots, its ports, and the run of one job."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import socket
import sys
import threading
from concurrent.futures import Future
from typing import Any

import distributed

from soundforge_nb.cluster import streams
from soundforge_nb.cluster.settings import SWITCH_SECONDS
from soundforge_nb.config import Config
from soundforge_nb.jobs.job import Cancel, Discard, Job, Outcome, Snooze, outcome_as_json
from soundforge_nb.jobs.kind import Context, Kinds
from soundforge_nb.jobs.verdict import plain_error
from soundforge_nb.pipeline.kinds import kinds_of
from soundforge_nb.pipeline.own_kind import process
from soundforge_nb.ports.supervisor import PortSupervisor

PLUGIN_NAME = "soundforge"
#: A kind that this Dask worker does not know may come with its next version.
UNKNOWN_KIND_SECONDS = 30.0
#: An answer to a start that takes longer will not come: the job goes back.
START_SECONDS = 120.0


class ForgeWorkerPlugin(distributed.WorkerPlugin):
    """Sits on every Dask worker; `execute` finds it there."""

    name = PLUGIN_NAME

    def __init__(self, settings: dict[str, Any]) -> None:
        self._settings = settings

    async def setup(self, worker: distributed.Worker) -> None:
        """Offer slots as resources, take cancels, and report for work."""
        self._worker = worker
        self._switch_seconds = sys.getswitchinterval()
        sys.setswitchinterval(min(self._switch_seconds, SWITCH_SECONDS))
        self._config = Config.from_json(self._settings)
        self._kinds: Kinds = kinds_of(self._config)
        self._ports = PortSupervisor(
            grace_seconds=self._config.terminate_grace_seconds,
            on_event=lambda *event: self._say(streams.port(*event)),
        )
        self._runs: dict[str, threading.Event] = {}
        self._held: set[str] = set()
        self._starting: dict[str, Future[int | None]] = {}
        self._closing = False
        if not self._config.data_folder.is_dir():
            raise RuntimeError(self._not_shared())
        worker.handlers["soundforge_cancel"] = self._cancel
        worker.stream_handlers[streams.MAY_START] = self._may_start
        worker.handlers["soundforge_ports"] = self._tell_ports
        worker.handlers["soundforge_limits"] = self._take_limits
        await worker.set_resources(**self._config.limits)
        await worker.scheduler.soundforge(
            method="node_ready",
            arguments=json.dumps(
                {
                    "address": worker.address,
                    "host": socket.gethostname(),
                    "cores": _cores(),
                    "kinds": self._kinds.names,
                    "limits": self._config.limits,
                }
            ),
        )
        self._pulse = asyncio.create_task(self._keep_alive())

    async def teardown(self, worker: distributed.Worker) -> None:
        """End every child with its Dask worker."""
        self._closing = True
        self._pulse.cancel()
        sys.setswitchinterval(self._switch_seconds)
        await asyncio.to_thread(self._ports.close)

    def run(self, payload: str) -> None:
        """Run the jobs of one Dask task in this thread, one after the other; each end is told as it comes."""
        jobs = [Job(**entry) for entry in json.loads(payload)]
        self._held.update(job.lease_id for job in jobs)
        for job in jobs:
            outcome = self._run(job)
            staged = (self._config.staging_folder / job.lease_id).exists()
            self._held.discard(job.lease_id)
            self._say(streams.ended(job.lease_id, outcome, staged))

    def _run(self, job: Job) -> dict[str, Any]:
        """Report the start of one job, process it, return its outcome."""
        if job.kind not in self._kinds:
            reason = f"No Dask worker here knows the kind {job.kind!r} yet."
            return outcome_as_json(Snooze(UNKNOWN_KIND_SECONDS, reason))
        attempt = self._report_start(job)
        if attempt is None:
            return streams.REFUSED
        cancelled = self._runs[job.lease_id] = threading.Event()
        try:
            outcome = self._process(dataclasses.replace(job, attempt=attempt), cancelled)
        finally:
            self._runs.pop(job.lease_id, None)
        if isinstance(outcome, Cancel) and self._closing and not cancelled.is_set():
            # Nobody asked for this job's end: its Dask worker is going.
            return streams.INTERRUPTED
        return outcome_as_json(outcome)

    def _process(self, job: Job, cancelled: threading.Event) -> Outcome:
        if not self._config.data_folder.is_dir():
            return Discard(
                plain_error(
                    f"The data folder {self._config.data_folder} is not there on {socket.gethostname()}; "
                    "all hosts of one application must share it."
                )
            )
        if not self._config.data_folder.is_dir():
            return Discard(plain_error(self._not_shared()))
        context = Context(
            config=self._config,
            ports=self._ports,
            progress=self._reporter(job.lease_id),
            staging_place=self._config.staging_folder / job.lease_id,
            threads=max(1, _cores() // max(1, len(self._runs))),
            cancelled=cancelled,
        )
        return process(self._kinds[job.kind], job, context)

    def _not_shared(self) -> str:
        return (
            f"The data folder {self._config.data_folder} is not there on {socket.gethostname()}; "
            "all hosts of one application must share it."
        )

    def _report_start(self, job: Job) -> int | None:
        """The attempt's number once the start is committed; None where the job must not begin."""
        answer: Future[int | None] = Future()
        self._starting[job.lease_id] = answer
        self._say(streams.started(job.job_id, job.lease_id, self._worker.address, socket.gethostname()))
        try:
            return answer.result(START_SECONDS)
        except TimeoutError:
            return None
        finally:
            self._starting.pop(job.lease_id, None)

    def _may_start(self, lease_id: str, attempt: int | None) -> None:
        answer = self._starting.get(lease_id)
        if answer is not None and not answer.done():
            answer.set_result(attempt)

    def _say(self, message: dict[str, Any]) -> None:
        """Put a message on the stream to the scheduler, from any thread, in order."""
        self._worker.loop.add_callback(self._worker.batched_send, message)

    def _reporter(self, lease_id: str) -> Any:
        last = [-1, ""]

        def progress(percent: int, message: str) -> None:
            if [percent, message] != last:
                last[:] = [percent, message]
                self._say(streams.progress(lease_id, percent, message))

        return progress

    async def _keep_alive(self) -> None:
        """Renew the leases of what is here, well within their term."""
        while True:
            await asyncio.sleep(self._config.lease_seconds / 5)
            # Also with nothing to do: who falls silent is given nothing.
            self._worker.batched_send(streams.alive(list(self._held)))

    async def _cancel(self, lease_id: str, reason: str) -> bool:
        event = self._runs.get(lease_id)
        if event is not None:
            event.set()
        return self._ports.cancel(lease_id, reason)

    async def _take_limits(self, limits: dict[str, int]) -> None:
        await self._worker.set_resources(**limits)

    async def _tell_ports(self) -> list[dict[str, Any]]:
        # Each child's memory is a look into the system: not in the loop.
        return await asyncio.to_thread(self.ports)

    def ports(self) -> list[dict[str, Any]]:
        """The live children of this Dask worker."""
        return [vars(port) for port in self._ports.ports()]


def execute(payload: str) -> None:
    """The Dask task of every job: one task, one job; of some kinds, a chunk of them."""
    plugin = distributed.get_worker().plugins[PLUGIN_NAME]
    assert isinstance(plugin, ForgeWorkerPlugin)
    plugin.run(payload)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
