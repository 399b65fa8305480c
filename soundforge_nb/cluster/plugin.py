"""The Dask worker's side: its slots, its ports, and the run of one job."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import os
import socket
import sys
import threading
import time
from collections.abc import Sequence
from typing import Any

import distributed

from soundforge_nb.cluster import streams
from soundforge_nb.cluster.gpus import GPU, gpu_names, share_of
from soundforge_nb.cluster.outbox import Outbox
from soundforge_nb.cluster.settings import SWITCH_SECONDS
from soundforge_nb.cluster.starts import Starts, TaskStarts
from soundforge_nb.config import Config
from soundforge_nb.jobs.begun import Marks, marks_file
from soundforge_nb.jobs.job import Cancel, Discard, Job, Outcome, Snooze, outcome_as_json
from soundforge_nb.jobs.kind import Context, Kinds
from soundforge_nb.jobs.verdict import plain_error
from soundforge_nb.pipeline.kinds import kinds_of
from soundforge_nb.pipeline.own_kind import process
from soundforge_nb.ports.supervisor import PortSupervisor

PLUGIN_NAME = "soundforge"
#: A kind that this Dask worker does not know may come with its next version, and a full disk gets room.
LATER_SECONDS = 30.0


class ForgeWorkerPlugin(distributed.WorkerPlugin):
    """Sits on every Dask worker; `execute` finds it there."""

    name = PLUGIN_NAME

    def __init__(self, settings: dict[str, Any]) -> None:
        self._settings = settings

    async def setup(self, worker: distributed.Worker) -> None:
        """Offer slots as resources, take cancels, and report for work."""
        self._worker = worker
        self._host = socket.gethostname()
        self._outbox = Outbox(worker)
        self._switch_seconds = sys.getswitchinterval()
        sys.setswitchinterval(min(self._switch_seconds, SWITCH_SECONDS))
        self._config = Config.from_json(self._settings)
        self._staging_folder = str(self._config.staging_folder)
        self._cores = _cores()
        self._kinds: Kinds = kinds_of(self._config)
        self._ports = PortSupervisor(
            grace_seconds=self._config.terminate_grace_seconds,
            on_event=lambda *event: self._outbox.say([streams.port(*event)]),
        )
        self._runs: dict[str, threading.Event] = {}
        self._held: set[str] = set()
        #: GPUs that no job holds, by the name that a child is told.
        names = gpu_names(self._config.gpus)
        self._gpus = share_of(names, str(worker.name), self._config.dask_workers)
        gpus = len(self._gpus)
        self._starts = Starts(self._ask, self._config.lease_seconds)
        self._closing = False
        if not self._config.data_folder.is_dir():
            raise RuntimeError(self._not_shared())
        worker.handlers["soundforge_cancel"] = self._cancel
        worker.stream_handlers[streams.MAY_START] = self._starts.answered
        worker.handlers["soundforge_ports"] = self._tell_ports
        worker.handlers["soundforge_limits"] = self._take_limits
        await worker.set_resources(**self._config.limits, **{GPU: gpus})
        await worker.scheduler.soundforge(
            method="node_ready",
            arguments=json.dumps(
                {
                    "address": worker.address,
                    "host": self._host,
                    "cores": self._cores,
                    "kinds": self._kinds.names,
                    "limits": self._config.limits,
                    "gpus": gpus,
                    "pulse": self._starts.pulse(),
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
        told = json.loads(payload)
        jobs = [Job(**entry) for entry in told["jobs"]]
        self._held.update(job.lease_id for job in jobs)
        last = jobs[-1]
        with contextlib.ExitStack() as stack:
            there = self._config.data_folder.is_dir()
            starts = self._starts.of_task(jobs, self._marks(jobs[0], stack), told["pulse"])
            for job in jobs:
                # What ends with its Dask worker begins nothing more.
                outcome = streams.INTERRUPTED if self._closing else self._run(job, starts, there)
                self._held.discard(job.lease_id)
                end = streams.end(job.lease_id, outcome, self._staged(job))
                # The end of one may go out with the ask of another: waking the loop costs more than both.
                self._outbox.say([streams.ended([end])], at_once=job is last)

    def _staged(self, job: Job) -> bool:
        # As text: to make a Path of it costs more than the look.
        return os.path.exists(f"{self._staging_folder}/{job.lease_id}")  # noqa: PTH110

    def _marks(self, first: Job, stack: contextlib.ExitStack) -> Marks | None:
        """Where a chunk's jobs are marked as they begin."""
        if first.kind not in self._kinds or not self._kinds[first.kind].in_chunks:
            return None
        marks = Marks(marks_file(self._config.staging_folder, first.lease_id))
        stack.callback(marks.close)
        return marks

    def _run(self, job: Job, starts: TaskStarts, there: bool) -> dict[str, Any]:
        """Begin one job when it may; process it, if its data folder is there; return its outcome."""
        if job.kind not in self._kinds:
            reason = f"No Dask worker here knows the kind {job.kind!r} yet."
            return outcome_as_json(Snooze(LATER_SECONDS, reason))
        try:
            attempt = starts.begin()
        except OSError as error:
            reason = f"That it begins could not be written down in the data folder ({error.strerror})."
            return outcome_as_json(Snooze(LATER_SECONDS, reason))
        if attempt is None:
            return streams.REFUSED
        began = time.perf_counter()
        cancelled = self._runs[job.lease_id] = threading.Event()
        try:
            # A cancel finds the run from here on, and one that came before is found by it.
            if (why := self._starts.cancelled(job.lease_id)) is not None:
                return outcome_as_json(Cancel(why))
            if not there:
                return outcome_as_json(Discard(plain_error(self._not_shared())))
            outcome = self._process(dataclasses.replace(job, attempt=attempt), cancelled)
        finally:
            self._runs.pop(job.lease_id, None)
            self._starts.ran(job.kind, time.perf_counter() - began)
        if isinstance(outcome, Cancel) and self._closing and not cancelled.is_set():
            # Nobody asked for this job's end: its Dask worker is going.
            return streams.INTERRUPTED
        return outcome_as_json(outcome)

    def _process(self, job: Job, cancelled: threading.Event) -> Outcome:
        gpu = self._gpus.pop() if job.gpu and self._gpus else None
        try:
            return process(self._kinds[job.kind], job, self._context(job, cancelled, gpu))
        finally:
            if gpu is not None:
                self._gpus.append(gpu)

    def _context(self, job: Job, cancelled: threading.Event, gpu: str | None) -> Context:
        return Context(
            config=self._config,
            ports=self._ports,
            progress=self._reporter(job.lease_id),
            staging_place=self._config.staging_folder / job.lease_id,
            threads=max(1, self._cores // max(1, len(self._runs))),
            cancelled=cancelled,
            gpu=gpu,
        )

    def _not_shared(self) -> str:
        return (
            f"The data folder {self._config.data_folder} is not there on {self._host}; "
            "all hosts of one application must share it."
        )

    def _ask(self, jobs: Sequence[Job]) -> None:
        self._outbox.say([streams.started(jobs, self._worker.address, self._host)])

    def _reporter(self, lease_id: str) -> Any:
        last = [-1, ""]

        def progress(percent: int, message: str) -> None:
            if [percent, message] != last:
                last[:] = [percent, message]
                self._outbox.say([streams.progress(lease_id, percent, message)])

        return progress

    async def _keep_alive(self) -> None:
        """Renew the leases of what is here, well within their term."""
        while True:
            await asyncio.sleep(self._config.lease_seconds / 5)
            # Also with nothing to do: who falls silent is given nothing.
            self._worker.batched_send(streams.alive(list(self._held), self._starts.pulse()))

    async def _cancel(self, lease_id: str, reason: str) -> bool:
        self._starts.cancel(lease_id, reason)
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
