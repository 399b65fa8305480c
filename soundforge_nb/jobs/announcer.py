"""Telling of jobs: each change of a job, once it is committed, on the topic `jobs` and as telemetry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from soundforge_nb.jobs.job import Job, NewJob
from soundforge_nb.jobs.ledger import Lease
from soundforge_nb.jobs.states import State
from soundforge_nb.lifecycle.pubsub import PubSub
from soundforge_nb.lifecycle.telemetry import Telemetry

TOPIC = "jobs"
QUEUES_TOPIC = "queues"


class Announcer:
    def __init__(self, telemetry: Telemetry, pubsub: Callable[[], PubSub]) -> None:
        self._telemetry = telemetry
        self._pubsub = pubsub

    def inserted(self, job: NewJob, count: int = 1) -> None:
        """A job that was made durable, or so many that are like it: then no one of them is named."""
        self._telemetry.execute("job.insert", {"count": count}, {"queue": job.queue, "kind": job.kind})
        state = State.SCHEDULED if job.waits else State.AVAILABLE
        self._publish(job.job_id if count == 1 else None, job.kind, job.queue, job.batch_id, state)

    def row(self, row: Mapping[str, Any], state: State) -> None:
        """A job that changed without a run, by its row."""
        self._publish(
            row["job_id"], row["kind"], row["queue"], row["batch_id"], state, message=row["message"]
        )

    def lease(self, lease: Lease, state: State) -> None:
        """A running job as it stands, or the end of its run."""
        job = lease.job
        self._publish(job.job_id, job.kind, job.queue, job.batch_id, state, lease.progress, lease.message)

    def control(self, control: Mapping[str, Any]) -> None:
        """A queue is run in another way from now on."""
        self._pubsub().publish(QUEUES_TOPIC, dict(control))
        self._telemetry.execute("topic.publish", {"count": 1}, {"topic": QUEUES_TOPIC})

    def started(self, lease: Lease) -> None:
        self._telemetry.execute("job.start", {"count": 1}, _facts(lease.job))
        self.lease(lease, State.EXECUTING)

    def ended(self, lease: Lease, state: State, seconds: float) -> None:
        event = "job.stop" if state in (State.COMPLETED, State.SCHEDULED) else "job.exception"
        facts = {**_facts(lease.job), "state": state.value}
        self._telemetry.execute(event, {"duration_seconds": seconds}, facts)
        self.lease(lease, state)

    def _publish(
        self,
        job_id: str | None,
        kind: str,
        queue: str,
        batch_id: str | None,
        state: State,
        progress: int = 0,
        message: str = "",
    ) -> None:
        body = {
            "job_id": job_id,
            "kind": kind,
            "queue": queue,
            "batch_id": batch_id,
            "state": state.value,
            "progress": progress,
            "message": message,
        }
        published = self._pubsub().publish(TOPIC, body)
        self._telemetry.execute("topic.publish", {"count": 1}, {"topic": published.topic})


def _facts(job: Job) -> dict[str, Any]:
    return {"queue": job.queue, "kind": job.kind, "job_id": job.job_id, "attempt": job.attempt}
