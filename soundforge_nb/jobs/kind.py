"""What a job does: a class with `process`, run on a Dask worker, and `record`, run in the application."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Literal

from soundforge_nb.config import Config
from soundforge_nb.errors import DiskError, UnknownKind
from soundforge_nb.jobs.backoff import backoff_seconds
from soundforge_nb.jobs.job import Job, NewJob, Outcome
from soundforge_nb.ports.supervisor import PortSupervisor


@dataclass(frozen=True)
class Insert:
    """Rows for one table.

    A row whose `unless` columns match a row that exists is left out; with `replace`, a row of the same
    primary key gives way.
    """

    table: str
    columns: dict[str, str]
    rows: tuple[dict[str, Any], ...]
    unless: tuple[str, ...] = ()
    replace: bool = False


@dataclass(frozen=True)
class Update:
    """One statement with its parameters, run in the acknowledgement's transaction."""

    sql: str
    parameters: dict[str, Any]


@dataclass(frozen=True)
class Move:
    """A file the job made in staging, and its place; moved after the lease was checked."""

    source: Path
    target: Path


@dataclass(frozen=True)
class Record:
    """What a completed job leaves behind, committed together with its acknowledgement."""

    result: dict[str, Any] = field(default_factory=dict)
    inserts: tuple[Insert, ...] = ()
    updates: tuple[Update, ...] = ()
    moves: tuple[Move, ...] = ()


@dataclass(frozen=True)
class Context:
    """What a running job may use, on its Dask worker."""

    config: Config
    ports: PortSupervisor
    progress: Callable[[int, str], None]
    #: Where `staging_folder` will be.
    staging_place: Path
    #: How many threads the job's child may use beside what else runs here.
    threads: int
    cancelled: threading.Event
    #: The GPU that is kept for it, as CUDA_VISIBLE_DEVICES names it; None: it may use what it finds.
    gpu: str | None = None

    @property
    def staging_folder(self) -> Path:
        """Where the job's child may write, made when it is asked for; what is not moved into place is swept.

        Raises
        ------
        DiskError
            It can't be made.
        """
        try:
            self.staging_place.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DiskError(
                f"There is no place for what the job would make: {self.staging_place.parent} can't be "
                f"written to ({error.strerror}).",
                "Make room, or allow writing there; then batch.retry().",
            ) from error
        return self.staging_place


class Kind:
    """Base of all kinds. A kind is idempotent: running it twice leaves what running it once leaves.

    A kind of one's own is a class in an importable module, named in the setting ``kinds``:

    >>> from soundforge_nb.jobs.job import Completed
    >>> class Greet(Kind):
    ...     name, queue = "greet", "analysis"
    ...     def process(self, job, context):
    ...         return Completed({"text": f"Hello, {job.args['who']}."})
    >>> Greet().new({"who": "you"}).queue
    'analysis'
    """

    name: ClassVar[str]
    queue: ClassVar[str]
    max_attempts: ClassVar[int] = 3
    priority: ClassVar[int] = 5
    tags: ClassVar[tuple[str, ...]] = ()
    #: A child of its own: ended with all it started on cancel and timeout, and its crash is its own affair.
    #: Light work without audio may run in the Dask task itself; it looks at `context.cancelled`, then.
    runs_in: ClassVar[Literal["child", "dask_task"]] = "child"
    #: How long its child may take. What runs in the Dask task keeps its own time.
    timeout_seconds: ClassVar[float] = 300.0
    #: Whether a job needs a GPU to itself, where a Dask worker has one.
    gpu: ClassVar[bool] = False
    #: How many jobs may share one Dask task, one after the other: for a kind whose jobs take milliseconds.
    #: What is quick is allowed to begin together; after a crash, what did not is `withdrawn`, at no cost.
    chunk: ClassVar[int] = 1

    def check(self, args: dict[str, Any]) -> None:
        """Refuse arguments that this kind can't work on, before a job is made of them.

        Raises
        ------
        UsageError
            Saying which argument, and what it should be.
        """

    def wants_gpu(self, args: dict[str, Any], config: Config) -> bool:
        """Whether a job of these arguments needs a GPU to itself, where a Dask worker has one."""
        return self.gpu

    def process(self, job: Job, context: Context) -> Outcome:
        """Do the work, on a Dask worker, where `runs_in` says."""
        raise TypeError(f"the kind {self.name} does not say how it is processed")

    def record(self, job: Job, result: dict[str, Any], config: Config, now: datetime) -> Record:
        """What the result means for the library, in the application; holds no connection."""
        return Record(result=result)

    @property
    def records(self) -> bool:
        """Whether it has a `record` of its own: it may take its time, so a thread is found for it."""
        return type(self).record is not Kind.record

    @property
    def in_chunks(self) -> bool:
        """Whether its jobs may share a Dask task."""
        return self.chunk > 1

    def backoff_seconds(self, attempt: int) -> float:
        return backoff_seconds(attempt)

    def spent_attempts(self, job: Job) -> int:
        """How many attempts of a job went wrong by themselves: rescues and snoozes do not count.

        >>> class Any(Kind): max_attempts = 2
        >>> Any().spent_attempts(Job("id", "any", "analysis", {}, attempt=9, max_attempts=10, lease_id=""))
        1
        """
        given_back = job.max_attempts - int(job.meta.get("max_attempts", self.max_attempts))
        return max(1, job.attempt - max(0, given_back))

    def new(self, args: dict[str, Any], **options: Any) -> NewJob:
        """A job of this kind, to be inserted."""
        defaults: dict[str, Any] = {
            "priority": self.priority,
            "max_attempts": self.max_attempts,
            "tags": self.tags,
        }
        if options.get("max_attempts", self.max_attempts) != self.max_attempts:
            # Kept, for the job's own grows with each attempt that was no fault of it.
            options["meta"] = {**options.get("meta", {}), "max_attempts": options["max_attempts"]}
        options = defaults | options
        return NewJob(kind=self.name, queue=self.queue, args=args, **options)


class Kinds:
    """The kinds known here, by name."""

    def __init__(self, kinds: Iterable[Kind]) -> None:
        self._kinds = {kind.name: kind for kind in kinds}

    def __getitem__(self, name: str) -> Kind:
        """The kind of that name.

        Raises
        ------
        UnknownKind
            There is none.
        """
        try:
            return self._kinds[name]
        except KeyError:
            known = ", ".join(sorted(self._kinds)) or "none"
            raise UnknownKind(f"No kind of job is named {name!r} here.", f"Known: {known}.") from None

    def __contains__(self, name: object) -> bool:
        return name in self._kinds

    @property
    def names(self) -> list[str]:
        return sorted(self._kinds)
