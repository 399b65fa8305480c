"""What the engine knows of its queues without asking the table: whether a claim is worth a statement.

The table stays the queue; this only spares it the claims that would find nothing, which would be most of
them. In doubt a queue counts as having work.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass
class _Known:
    #: Something may be available.
    more: bool = True
    #: Counts what came, so that a claim under way does not hide what came meanwhile.
    arrivals: int = 0
    #: When the next scheduled or retryable job is due; None where there is none.
    due: datetime | None = datetime.min


class Demand:
    """One entry a queue. A fresh one assumes work everywhere, and that something may be due."""

    def __init__(self, queues: Iterable[str]) -> None:
        self._known = {queue: _Known() for queue in queues}

    def came(self, queue: str) -> None:
        """A job of this queue became available."""
        if (known := self._known.get(queue)) is not None:
            known.more = True
            known.arrivals += 1

    def due_at(self, queue: str, when: datetime) -> None:
        """A job of this queue will be due, or may be."""
        if (known := self._known.get(queue)) is not None:
            known.due = when if known.due is None else min(known.due, when)
            known.arrivals += 1

    def is_due(self, queue: str, now: datetime) -> bool:
        """Whether a scheduled or retryable job's time may have come."""
        due = self._known[queue].due
        return due is not None and due <= now

    def worth_a_claim(self, queue: str, now: datetime) -> bool:
        return self._known[queue].more or self.is_due(queue, now)

    def arrivals(self, queue: str) -> int:
        """A mark to be handed to `claimed`, read before the claim begins."""
        return self._known[queue].arrivals

    def staged(self, queue: str, arrivals: int, due: datetime | None) -> None:
        """All that was due became available; `due` is the next one's time, as the table knows it."""
        known = self._known[queue]
        if due is not None or known.arrivals == arrivals:
            known.due = due

    def claimed(self, queue: str, arrivals: int, emptied: bool) -> None:
        """A claim is committed; `emptied` where it took fewer than it could have."""
        known = self._known[queue]
        if emptied and known.arrivals == arrivals:
            known.more = False
