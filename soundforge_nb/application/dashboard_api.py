"""The calls that dashboards make: how everything stands now, pages of jobs, one job in full, curves."""

from __future__ import annotations

from datetime import UTC
from functools import partial
from typing import Any
from uuid import UUID

import soundforge_nb
from soundforge_nb.application.application import Application
from soundforge_nb.application.requests import call
from soundforge_nb.cluster.observer import Observer
from soundforge_nb.errors import JobNotFound, UsageError
from soundforge_nb.jobs import browse
from soundforge_nb.jobs.browse import Filters
from soundforge_nb.jobs.ledger import Lease
from soundforge_nb.jobs.states import State
from soundforge_nb.store.session import Session

#: What a dashboard may ask for; it hides what this application does not offer.
ACTIONS = ("cancel", "retry", "run_now", "pause_queue", "resume_queue", "scale_queue")


#: A dashboard that did not ask for so long is closed.
VIEWER_SECONDS = 60.0


class DashboardCalls:
    """The reading side of the application."""

    def __init__(self, application: Application, observer: Observer | None) -> None:
        self._application = application
        self._observer = observer
        #: What each Dask worker said of itself when it reported for work.
        self._nodes: dict[str, dict[str, Any]] = {}
        #: When each dashboard asked last.
        self._viewers: dict[str, float] = {}

    @call
    async def dashboard(self, viewer: str | None = None) -> dict[str, Any]:
        """How everything stands now; what runs comes from the ledger, all else from the store."""
        application = self._application
        application.telemetry.execute("dashboard.message", {"count": 1}, {"what": "dashboard"})
        self._note_viewer(viewer)
        sequence = application.pubsub.sequence

        counts = await application.engine.counting.read()
        pipelines = await application.store.read("dashboard", browse.pipelines)
        running = self._running()
        progress = {row["job_id"]: row["progress"] for row in running}
        for track in pipelines["tracks"]:
            for step in track["steps"]:
                step["progress"] = progress.get(step["job_id"], step["progress"])
        return {
            "version": soundforge_nb.__version__,
            "data_folder": str(application.config.data_folder),
            "sequence": sequence,
            "queues": self._queues(counts),
            "running": running,
            "pipelines": pipelines["tracks"],
            "pipelines_total": pipelines["total"],
            "children": await self.supervision_tree(),
            "dask_workers": self._dask_workers(),
            "measured_at": application.history.ticked_at,
            "actions": [name for name in ACTIONS if self._offers(name)],
        }

    @call
    async def jobs_page(
        self,
        states: list[str] | None = None,
        queue: str | None = None,
        kind: str | None = None,
        tag: str | None = None,
        words: str | None = None,
        offset: int = 0,
        size: int = 100,
    ) -> dict[str, Any]:
        """Jobs that fit all filters, the newest first: a page of them, and how many there are."""
        known = {state.value for state in State}
        if states is not None and (wrong := sorted(set(states) - known)):
            raise UsageError(
                f"There is no state {wrong[0]!r} of a job.", f"Known: {', '.join(sorted(known))}."
            )
        filters = Filters(None if states is None else tuple(states), queue, kind, tag, words)

        def read(session: Session) -> dict[str, Any]:
            found = browse.page(session, filters, offset, size)
            # Asked for with the first page only: they change with what is inserted.
            return found | (browse.kinds_and_tags(session) if offset == 0 else {})

        page = await self._application.store.read("jobs_page", read)
        for row in page["rows"]:
            _say_live(row, self._application.ledger.of_job(row["job_id"]))
        return page

    @call
    async def job_detail(self, job_id: str) -> dict[str, Any]:
        """One job with its attempts, its errors in full, its parents and its children."""
        try:
            wanted = str(UUID(job_id))
        except ValueError:
            raise _not_found(job_id) from None
        job = await self._application.store.read("job_detail", partial(browse.whole_job, job_id=wanted))
        if job is None:
            raise _not_found(job_id)
        _say_live(job, self._application.ledger.of_job(wanted))
        return job

    @call
    async def metrics_history(self, since: float = 0.0) -> dict[str, Any]:
        """Every metric with the points of its curves that are later than `since` (seconds since 1970)."""
        return self._application.history.curves(since)

    @call
    async def supervision_tree(self) -> list[dict[str, Any]]:
        """Each child of the supervisor: state, restarts, last reason, and since when it runs."""
        now = self._application.clock.now().replace(tzinfo=UTC).timestamp()
        return [
            {**child, "since": round(now - child["age_seconds"], 1) if child["state"] == "running" else None}
            for child in self._application.supervisor.which_children()
        ]

    def _note_viewer(self, viewer: str | None) -> None:
        """Tell telemetry who comes, and who was not heard for so long that they went."""
        now, telemetry = self._application.clock.monotonic(), self._application.telemetry
        for gone in [name for name, at in self._viewers.items() if now - at > VIEWER_SECONDS]:
            del self._viewers[gone]
            telemetry.execute("dashboard.close", {"count": 1})
        if viewer is None:
            return
        if viewer not in self._viewers:
            telemetry.execute("dashboard.connect", {"count": 1})
        self._viewers[viewer] = now

    # -- parts ------------------------------------------------------------------------------------

    def _offers(self, name: str) -> bool:
        return bool(getattr(getattr(self, name, None), "__soundforge_call__", False))

    def _queues(self, counts: dict[str, dict[str, int]]) -> list[dict[str, Any]]:
        """Each queue with its limit, its jobs by state, and what ended in it lately."""
        ledger, rates = self._application.ledger, self._application.rates
        return [
            {
                "queue": queue,
                "limit": limit,
                "slots": limit * len(ledger.nodes),
                "paused": ledger.paused[queue],
                "running": ledger.running(queue),
                "jobs": {state.value: counts.get(queue, {}).get(state.value, 0) for state in State},
                "ended": rates.of(queue),
            }
            for queue, limit in ledger.limits.items()
        ]

    def _running(self) -> list[dict[str, Any]]:
        ports = self._observer.ports() if self._observer else {}
        leases = sorted(self._application.ledger.leases(), key=lambda lease: lease.job.job_id)
        return [_running_row(lease, ports.get(lease.lease_id), self._started_at(lease)) for lease in leases]

    def _started_at(self, lease: Lease) -> float | None:
        """When it began, by the wall clock: a lease knows the time that only grows."""
        if not lease.started:
            return None
        clock = self._application.clock
        age = clock.monotonic() - lease.started_monotonic
        return round(clock.now().replace(tzinfo=UTC).timestamp() - age, 1)

    def _dask_workers(self) -> list[dict[str, Any]]:
        ledger = self._application.ledger
        leases = ledger.leases()
        return [
            {
                "address": address,
                **self._nodes.get(address, {}),
                **(self._observer.dask_worker(address) if self._observer else {}),
                "slots": {
                    queue: {
                        "used": sum(lease.node == address and lease.job.queue == queue for lease in leases),
                        "limit": limit,
                    }
                    for queue, limit in ledger.limits.items()
                },
            }
            for address in ledger.nodes
        ]


def name_of(args: dict[str, Any], meta: dict[str, Any]) -> str:
    """What a person knows a job by: a title, a path or an address; empty where it has none.

    >>> name_of({"path": "/songs/a.wav"}, {"title": "A"}), name_of({"path": "/songs/a.wav"}, {})
    ('A', '/songs/a.wav')
    """
    told = (meta.get("title"), meta.get("name"), args.get("title"), args.get("path"), args.get("url"))
    return next((str(entry) for entry in told if entry), "")


def _running_row(lease: Lease, port: dict[str, Any] | None, started_at: float | None) -> dict[str, Any]:
    job = lease.job
    return {
        "job_id": job.job_id,
        "kind": job.kind,
        "queue": job.queue,
        "name": name_of(job.args, job.meta),
        "progress": lease.progress,
        "message": lease.message,
        "attempt": job.attempt,
        "max_attempts": job.max_attempts,
        "started_at": started_at,
        "dask_worker": lease.node,
        "pid": port["pid"] if port else None,
        "memory_bytes": port["memory_bytes"] if port else None,
        "cancelling": lease.cancel_reason is not None,
    }


def _say_live(row: dict[str, Any], lease: Lease | None) -> None:
    """The store learns of progress every few moments, the ledger at once."""
    if lease is not None and row["state"] == State.EXECUTING:
        row["progress"], row["message"] = lease.progress, lease.message


def _not_found(job_id: str) -> JobNotFound:
    return JobNotFound(f"There is no job {job_id}.", "forge.jobs() lists what there is.")
