"""Starts, as a Dask worker sees them: a job begins when its start is committed, and not much later.

To ask for one costs a way to the application and back, more than a small job takes. So of a chunk, as many
are asked for together as end within a moment; each leaves a mark when it really begins. And of a job that
found its slot free when it was inserted, the start was committed with it.
"""

from __future__ import annotations

import itertools
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from soundforge_nb.jobs.begun import Marks
from soundforge_nb.jobs.job import Job

#: An answer that takes longer will not come: the job goes back.
ANSWER_SECONDS = 120.0
#: So many starts are asked for together as are over within this.
TOGETHER_SECONDS = 0.05
#: What was allowed longer ago, in terms of a lease, is not begun any more: it may be somebody else's. A
#: lease holds for a whole term from the pulse before it.
STALE = 0.5
#: How much the latest run counts in a kind's pace.
_WEIGHT = 0.2
_CANCELS_KEPT = 10_000
_PULSES_KEPT = 16


def awake_and_asleep() -> float:
    """Seconds that only grow, also while the machine sleeps, where the system counts them."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


class Starts:
    """Asks, and hands the answers to the threads that wait.

    Parameters
    ----------
    ask : callable
        Sends the application the jobs of which the first waits for its answer.
    lease_seconds : float
    monotonic : callable
    """

    def __init__(
        self,
        ask: Callable[[Sequence[Job]], None],
        lease_seconds: float,
        monotonic: Callable[[], float] = awake_and_asleep,
    ) -> None:
        self._ask = ask
        self.stale_seconds = STALE * lease_seconds
        self.monotonic = monotonic
        self._waiting: dict[str, Future[dict[str, int]]] = {}
        #: Seconds a run, by kind; guessed to be long until one is over.
        self._paces: dict[str, float] = {}
        #: Why what did not begin yet must not, by lease.
        self._cancelled: OrderedDict[str, str] = OrderedDict()
        self._lock = threading.Lock()
        #: When each of the last pulses went out.
        self._pulses: OrderedDict[int, float] = OrderedDict()
        self._numbers = itertools.count(1)

    def pulse(self) -> int:
        """The number of a word that goes out now, by which the application says how new a claim is."""
        number = next(self._numbers)
        self._pulses[number] = self.monotonic()
        if len(self._pulses) > _PULSES_KEPT:
            self._pulses.popitem(last=False)
        return number

    def answered(self, lease_id: str, attempts: dict[str, int]) -> None:
        """The application's answer; from the event loop."""
        answer = self._waiting.get(lease_id)
        if answer is not None and not answer.done():
            answer.set_result(attempts)

    def cancel(self, lease_id: str, reason: str) -> None:
        """What may have been allowed to begin, and has not, must not."""
        with self._lock:
            self._cancelled[lease_id] = reason
            if len(self._cancelled) > _CANCELS_KEPT:
                self._cancelled.popitem(last=False)

    def cancelled(self, lease_id: str) -> str | None:
        """Why a lease was cancelled before it began, if it was."""
        return self._cancelled.get(lease_id)

    def ran(self, kind: str, seconds: float) -> None:
        """How long a run of that kind took."""
        before = self._paces.get(kind, seconds)
        self._paces[kind] = before + _WEIGHT * (seconds - before)

    def together(self, kind: str) -> int:
        """How many starts of that kind may be asked for at once."""
        pace = self._paces.get(kind)
        return 1 if pace is None else max(1, int(TOGETHER_SECONDS / max(pace, 1e-6)))

    def wait_for(self, jobs: Sequence[Job]) -> dict[str, int]:
        """Ask for these; returns the attempts of those that may begin, when that is committed."""
        first = jobs[0].lease_id
        answer = self._waiting[first] = Future()
        try:
            self._ask(jobs)
            return answer.result(ANSWER_SECONDS)
        except TimeoutError:
            return {}
        finally:
            self._waiting.pop(first, None)

    def of_task(self, jobs: Sequence[Job], marks: Marks | None, pulse: int | None) -> TaskStarts:
        """The starts of one Dask task's jobs; `pulse` as `Claim` has it."""
        starts = TaskStarts(self, jobs, marks)
        if pulse is not None:
            # One that is forgotten is older than any that would do.
            starts.allow({job.lease_id: job.attempt for job in jobs}, self._pulses.get(pulse, -math.inf))
        return starts


class TaskStarts:
    """The jobs of one Dask task, begun in order; `marks` where it is a chunk. Used from its thread alone."""

    def __init__(self, starts: Starts, jobs: Sequence[Job], marks: Marks | None) -> None:
        self._starts = starts
        self._jobs = list(jobs)
        self._marks = marks
        self._next = 0
        self._asked = 0
        self._allowed: dict[str, int] = {}
        self._allowed_at = 0.0

    def allow(self, attempts: dict[str, int], at: float, count: int | None = None) -> None:
        """Of the next so many, or all, these may begin: that was so at that time."""
        self._asked = len(self._jobs) if count is None else self._next + count
        self._allowed, self._allowed_at = attempts, at

    def begin(self) -> int | None:
        """The next job's attempt, once its start is committed; None where it must not begin.

        Raises
        ------
        OSError
            It could not be marked as begun, and must not begin.
        """
        job = self._jobs[self._next]
        if self._next >= self._asked:
            # One that is alone can't be told from what did not begin: it asks for itself.
            count = self._starts.together(job.kind) if self._marks is not None else 1
            group = self._jobs[self._next : self._next + count]
            self.allow(self._starts.wait_for(group), self._starts.monotonic(), len(group))
        self._next += 1
        attempt = self._allowed.get(job.lease_id)
        if attempt is None or self._starts.monotonic() - self._allowed_at > self._starts.stale_seconds:
            return None
        if self._marks is not None:
            self._marks.mark(job.lease_id)
        return attempt
