"""How many jobs there are, by queue and state, at a price that does not grow with those that have ended.

The unfinished ones are counted each time: they are few. Those that ended are counted once, and from then on
each end that is recorded is added; whatever else changes them (a retry, a cancel, the pruner) has them
counted anew when somebody asks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from soundforge_nb.jobs import table
from soundforge_nb.jobs.states import FINISHED, State
from soundforge_nb.store.store import Store

Counts = dict[str, dict[str, int]]


class Counting:
    """Used from one event loop."""

    def __init__(self, store: Callable[[], Store]) -> None:
        self._store = store
        self._finished: Counter[tuple[str, str]] | None = None
        self._forgotten = 0

    async def read(self) -> Counts:
        """Jobs by queue and state."""
        found = await self._store().read("counts", table.counts_unfinished)
        if self._finished is None:
            await self._count()
        for (queue, state), jobs in (self._finished or Counter()).items():
            found.setdefault(queue, {})[state] = jobs
        return found

    async def _count(self) -> None:
        forgotten = self._forgotten
        # By the thread that writes: what it acknowledged before is in it and was told of, what comes after is
        # neither. So no end is missed, and none counted twice.
        rows = await self._store().write("counts", table.counts_finished)
        if forgotten == self._forgotten:
            self._finished = Counter({(queue, state): jobs for queue, state, jobs in rows})

    def ended(self, queue: str, state: State) -> None:
        """An end was recorded."""
        if self._finished is not None and state in FINISHED:
            self._finished[queue, state.value] += 1

    def forget(self) -> None:
        """Jobs that had ended changed, or ended without a run."""
        self._finished = None
        self._forgotten += 1
