"""A job, before and while it runs, and the ways a run can end: outcomes are values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from soundforge_nb.lifecycle.identifiers import new_id


@dataclass(frozen=True)
class NewJob:
    """A job to be inserted; everything in it is JSON."""

    kind: str
    queue: str
    args: dict[str, Any]
    max_attempts: int
    job_id: str = field(default_factory=new_id)
    meta: dict[str, Any] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    priority: int = 5
    batch_id: str | None = None
    track_id: str | None = None
    unique_key: str | None = None
    parents: tuple[str, ...] = ()
    scheduled_in_seconds: float = 0.0

    @property
    def waits(self) -> bool:
        """Whether something must happen before it can be claimed."""
        return bool(self.parents) or self.scheduled_in_seconds > 0


@dataclass(frozen=True)
class Job:
    """A claimed job, as a kind's `process` and `record` see it."""

    job_id: str
    kind: str
    queue: str
    args: dict[str, Any]
    attempt: int
    max_attempts: int
    lease_id: str
    rescues: int = 0
    meta: dict[str, Any] = field(default_factory=dict)
    batch_id: str | None = None
    track_id: str | None = None
    #: The results of the parents, by job id.
    parents: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: Whether one of its Dask worker's GPUs is kept for it.
    gpu: bool = False

    def as_json(self) -> dict[str, Any]:
        # Shallow: it is written out at once, and a deep copy of each would cost more than that.
        return dict(vars(self))


@dataclass(frozen=True)
class Completed:
    """It is done; `result` goes to the kind's `record`."""

    result: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Retry:
    """It went wrong; another try may help. `after_seconds` overrides the kind's backoff."""

    error: dict[str, Any]
    after_seconds: float | None = None


@dataclass(frozen=True)
class Snooze:
    """Not now; come back in `seconds`, with no attempt spent."""

    seconds: float
    reason: str = ""


@dataclass(frozen=True)
class Cancel:
    """Stop for good, because somebody or something asked for it."""

    reason: str


@dataclass(frozen=True)
class Discard:
    """It went wrong, and no other try would help."""

    error: dict[str, Any]


Outcome = Completed | Retry | Snooze | Cancel | Discard

_NAMES: dict[type[Any], str] = {
    Completed: "completed",
    Retry: "retry",
    Snooze: "snooze",
    Cancel: "cancel",
    Discard: "discard",
}
_CLASSES = {name: cls for cls, name in _NAMES.items()}


def outcome_as_json(outcome: Outcome) -> dict[str, Any]:
    """An outcome as it travels from a Dask worker.

    >>> outcome_as_json(Snooze(3.0))
    {'outcome': 'snooze', 'seconds': 3.0, 'reason': ''}
    """
    # Shallow, as `Job.as_json` is.
    return {"outcome": _NAMES[type(outcome)], **vars(outcome)}


def outcome_from_json(value: dict[str, Any]) -> Outcome:
    """Read what `outcome_as_json` wrote.

    >>> outcome_from_json({"outcome": "cancel", "reason": "asked"})
    Cancel(reason='asked')
    """
    fields = dict(value)
    outcome: Outcome = _CLASSES[fields.pop("outcome")](**fields)
    return outcome
