"""What an outcome means for a job: pure functions from a lease and its end to an acknowledgement."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from soundforge_nb.errors import SoundforgeError
from soundforge_nb.jobs.ends import Ack
from soundforge_nb.jobs.job import Cancel, Discard, Job, Retry, Snooze
from soundforge_nb.jobs.kind import Record
from soundforge_nb.jobs.ledger import Lease
from soundforge_nb.jobs.states import State

#: How often a job is taken up again after the death of its Dask worker before it is discarded.
RESCUE_LIMIT = 5


def plain_error(message: str, kind: str = "job") -> dict[str, Any]:
    """An error in its JSON form, where no exception stands behind it."""
    return {"error": "JobError", "kind": kind, "message": message, "remedy": ""}


def unrecorded(error: Exception) -> dict[str, Any]:
    """Why what a job made could not be written down."""
    if isinstance(error, SoundforgeError):
        return error.as_json()
    return plain_error(f"What the job made could not be recorded: {type(error).__name__}: {error}")


def completed(job: Job, record: Record) -> Ack:
    return Ack(
        job.job_id,
        job.lease_id,
        State.COMPLETED,
        "completed",
        result=record.result,
        progress=100,
        inserts=record.inserts,
        updates=record.updates,
    )


def ended(lease: Lease, outcome: Retry | Snooze | Cancel | Discard, now: datetime, backoff: float) -> Ack:
    """The acknowledgement of a run that did not complete; `backoff` is the kind's wait in seconds."""
    match outcome:
        case Retry(error, after_seconds):
            return retried(lease, error, now, backoff if after_seconds is None else after_seconds)
        case Snooze(seconds, reason):
            return Ack(
                lease.job.job_id,
                lease.lease_id,
                State.SCHEDULED,
                "snoozed",
                message=reason,
                extra_attempts=int(lease.started),
                scheduled_at=now + timedelta(seconds=seconds),
            )
        case Cancel(reason):
            return cancelled(lease, reason)
        case Discard(error):
            return discarded(lease, error)


def retried(lease: Lease, error: dict[str, Any], now: datetime, wait_seconds: float) -> Ack:
    """Another try after a wait, or the end where the attempts are spent."""
    job = lease.job
    if job.attempt >= job.max_attempts:
        return discarded(lease, error)
    return Ack(
        job.job_id,
        job.lease_id,
        State.RETRYABLE,
        "retry",
        error=error,
        message=str(error.get("message", "")),
        scheduled_at=now + timedelta(seconds=wait_seconds),
    )


def discarded(lease: Lease, error: dict[str, Any]) -> Ack:
    return Ack(
        lease.job.job_id,
        lease.lease_id,
        State.DISCARDED,
        "discarded",
        error=error,
        message=str(error.get("message", "")),
        progress=lease.progress,
    )


def cancelled(lease: Lease, reason: str) -> Ack:
    return Ack(
        lease.job.job_id,
        lease.lease_id,
        State.CANCELLED,
        "cancelled",
        error=plain_error(reason, "cancelled"),
        message=reason,
        progress=lease.progress,
    )


def rescued(lease: Lease, reason: str, began: bool = True) -> Ack:
    """A run that was lost with its node: not the job's fault, so its attempt is given back.

    `began`: False where it is known that what was allowed to begin did not.
    """
    job = lease.job
    if lease.cancel_reason is not None:
        return cancelled(lease, lease.cancel_reason)
    if lease.started and not began:
        return withdrawn(job.job_id, job.lease_id)
    rescues = job.rescues + int(lease.started)
    if rescues > RESCUE_LIMIT:
        return discarded(lease, plain_error(f"Its Dask worker died {rescues} times while it ran ({reason})."))
    return Ack(
        job.job_id,
        job.lease_id,
        State.AVAILABLE,
        "rescued",
        error=plain_error(f"Taken up again: {reason}.", "rescued") if lease.started else None,
        extra_attempts=int(lease.started),
        rescues=int(lease.started),
    )


def withdrawn(job_id: str, lease_id: str) -> Ack:
    """It had been allowed to begin, with its claim or with others of its chunk, and did not."""
    return Ack(job_id, lease_id, State.AVAILABLE, "withdrawn", extra_attempts=1)


def left_executing(
    row: dict[str, Any], began: bool = True, reason: str = "The application ended while the job ran."
) -> Ack:
    """What an application that ended left executing: taken up again, however often that happened."""
    if row["started"] and not began:
        return withdrawn(row["job_id"], row["lease_id"])
    return Ack(
        row["job_id"],
        row["lease_id"],
        State.AVAILABLE,
        "rescued",
        error=plain_error(reason, "rescued") if row["started"] else None,
        extra_attempts=int(row["started"]),
    )
