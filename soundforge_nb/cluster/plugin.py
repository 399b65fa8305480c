"""The Dask worker's side: its slots, its ports, and the run of one job."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import socket
import threading
import traceback
from pathlib import Path
from typing import Any

import distributed
from distributed.utils import sync

from soundforge_nb.config import Config
from soundforge_nb.errors import DiskError, SoundforgeError
from soundforge_nb.jobs.job import Cancel, Discard, Job, Outcome, Retry, Snooze, outcome_as_json
from soundforge_nb.jobs.kind import Context, Kinds
from soundforge_nb.jobs.verdict import plain_error
from soundforge_nb.pipeline.kinds import kinds_of
from soundforge_nb.pipeline.outcomes import outcome_of
from soundforge_nb.ports.supervisor import PortSupervisor

PLUGIN_NAME = "soundforge"
#: What Dask workers say: progress, and which leases they still work on.
INBOUND_TOPIC = "soundforge-inbound"
#: A kind that this Dask worker does not know may come with its next version.
UNKNOWN_KIND_SECONDS = 30.0


class ForgeWorkerPlugin(distributed.WorkerPlugin):
    """Sits on every Dask worker; `execute` finds it there."""

    name = PLUGIN_NAME

    def __init__(self, settings: dict[str, Any]) -> None:
        self._settings = settings

    async def setup(self, worker: distributed.Worker) -> None:
        """Offer slots as resources, take cancels, and report for work."""
        self._worker = worker
        self._config = _read_config(self._settings)
        self._kinds: Kinds = kinds_of(self._config)
        self._ports = PortSupervisor(grace_seconds=self._config.terminate_grace_seconds)
        self._runs: dict[str, threading.Event] = {}
        self._closing = False
        worker.handlers["soundforge_cancel"] = self._cancel
        await worker.set_resources(**self._config.limits)
        await worker.scheduler.soundforge(
            method="node_ready",
            arguments=json.dumps(
                {
                    "address": worker.address,
                    "host": socket.gethostname(),
                    "cores": _cores(),
                    "kinds": self._kinds.names,
                }
            ),
        )
        self._pulse = asyncio.create_task(self._keep_alive())

    async def teardown(self, worker: distributed.Worker) -> None:
        """End every child with its Dask worker."""
        self._closing = True
        self._pulse.cancel()
        await asyncio.to_thread(self._ports.close)

    def run(self, payload: str) -> str:
        """Run one job in this thread: report the start, process, return the outcome."""
        job = Job(**json.loads(payload))
        if job.kind not in self._kinds:
            reason = f"No Dask worker here knows the kind {job.kind!r} yet."
            return json.dumps(outcome_as_json(Snooze(UNKNOWN_KIND_SECONDS, reason)))
        attempt = self._report_start(job)
        if attempt is None:
            return json.dumps({"outcome": "refused"})
        cancelled = self._runs[job.lease_id] = threading.Event()
        try:
            outcome = self._process(dataclasses.replace(job, attempt=attempt), cancelled)
        finally:
            self._runs.pop(job.lease_id, None)
        if isinstance(outcome, Cancel) and self._closing and not cancelled.is_set():
            # Nobody asked for this job's end: its Dask worker is going.
            return json.dumps({"outcome": "interrupted"})
        return json.dumps(outcome_as_json(outcome))

    def _process(self, job: Job, cancelled: threading.Event) -> Outcome:
        staging = self._config.staging_folder / job.lease_id
        if not self._config.data_folder.is_dir():
            return Discard(
                plain_error(
                    f"The data folder {self._config.data_folder} is not there on {socket.gethostname()}; "
                    "all hosts of one application must share it."
                )
            )
        try:
            make_staging(staging)
            context = Context(
                config=self._config,
                ports=self._ports,
                progress=self._reporter(job.lease_id),
                staging_folder=staging,
                threads=max(1, _cores() // max(1, len(self._runs))),
                cancelled=cancelled,
            )
            return self._kinds[job.kind].process(job, context)
        except SoundforgeError as error:
            return outcome_of(error)
        except Exception as error:
            fault = plain_error(
                f"The job ended with an unforeseen {type(error).__name__}: {error}", "internal"
            )
            return Retry({**fault, "details": {"traceback": traceback.format_exc()[-8000:]}})

    def _report_start(self, job: Job) -> int | None:
        """The attempt's number once the start is committed; None where the job must not begin."""
        answer = sync(
            self._worker.loop,
            self._worker.scheduler.soundforge,
            method="started",
            arguments=json.dumps(
                {
                    "job_id": job.job_id,
                    "lease_id": job.lease_id,
                    "dask_worker": self._worker.address,
                    "host": socket.gethostname(),
                }
            ),
        )
        value = json.loads(answer.get("ok", "null"))
        return value if isinstance(value, int) else None

    def _reporter(self, lease_id: str) -> Any:
        last = [-1, ""]

        def progress(percent: int, message: str) -> None:
            if [percent, message] != last:
                last[:] = [percent, message]
                self._worker.log_event(
                    INBOUND_TOPIC,
                    {"event": "progress", "lease_id": lease_id, "percent": percent, "message": message[:500]},
                )

        return progress

    async def _keep_alive(self) -> None:
        """Renew the leases of what runs here, well within their term."""
        while True:
            await asyncio.sleep(self._config.lease_seconds / 5)
            leases = list(self._runs)
            if leases:
                self._worker.log_event(INBOUND_TOPIC, {"event": "alive", "lease_ids": leases})

    async def _cancel(self, lease_id: str, reason: str) -> bool:
        event = self._runs.get(lease_id)
        if event is not None:
            event.set()
        return self._ports.cancel(lease_id, reason)

    def ports(self) -> list[dict[str, Any]]:
        """The live children of this Dask worker."""
        return [vars(port) for port in self._ports.ports()]


def make_staging(folder: Path) -> None:
    """Make the folder that a job's child writes into.

    Raises
    ------
    DiskError
        Its place can't be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DiskError(
            f"There is no place for what the job would make: {folder.parent} can't be written to "
            f"({error.strerror}).",
            "Make room, or allow writing there; then batch.retry().",
        ) from error


def execute(payload: str) -> str:
    """The Dask task of every job: one task, one job."""
    plugin = distributed.get_worker().plugins[PLUGIN_NAME]
    assert isinstance(plugin, ForgeWorkerPlugin)
    return plugin.run(payload)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _read_config(settings: dict[str, Any]) -> Config:
    values = dict(settings)
    for name in ("data_folder", "model_folder", "shared_cache_folder"):
        if values.get(name) is not None:
            values[name] = Path(values[name])
    return Config(**values)
