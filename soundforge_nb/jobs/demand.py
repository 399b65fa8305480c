"""What the engine knows of its queues without asking the table: whether a claim is worth a statement.

The table stays the queue; this only spares it the claims that would find nothing, which would be most of
them. In doubt a queue counts as having work.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime


@dataclass
class _Known:
    #: Something may be available.
    more: bool = True
    #: Counts what came, so that a claim under way does not hide what came meanwhile.
    arrivals: int = 0
    #: When the next scheduled or retryable job is due; None where there is none.
    due: datetime | None = datetime.min
    #: The batches whose jobs may be available (None: those of no batch), as far as they are known.
    batches: set[str | None] = field(default_factory=set)
    #: Others may be too.
    unknown_batches: bool = True
    #: When each batch was last served, by a count of claims.
    served: dict[str, int] = field(default_factory=dict)


class Demand:
    """One entry a queue. A fresh one assumes work everywhere, and that something may be due."""

    def __init__(self, queues: Iterable[str]) -> None:
        self._known = {queue: _Known() for queue in queues}

    def came(self, queue: str, batch_id: str | None) -> None:
        """A job of this queue became available, for this batch or for none."""
        if (known := self._known.get(queue)) is not None:
            known.more = True
            known.arrivals += 1
            known.batches.add(batch_id)

    def may_have_come(self, queue: str) -> None:
        """Jobs of this queue may have become available, of whatever batch."""
        if (known := self._known.get(queue)) is not None:
            known.more = True
            known.arrivals += 1
            known.unknown_batches = True

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
        known.unknown_batches = True
        if due is not None or known.arrivals == arrivals:
            known.due = due

    def turns(self, queue: str) -> dict[str, int] | None:
        """Where several batches may wait for this queue: when each was last served. Else None."""
        known = self._known[queue]
        return dict(known.served) if known.unknown_batches or len(known.batches) > 1 else None

    def claimed(self, queue: str, arrivals: int, emptied: bool, batches: Iterable[str | None] = ()) -> None:
        """A claim is committed for these batches; `emptied` where it took fewer than it could have."""
        known = self._known[queue]
        count = max(known.served.values(), default=0) + 1
        known.served |= {batch_id: count for batch_id in batches if batch_id is not None}
        if emptied and known.arrivals == arrivals:
            known.more = False
            known.batches.clear()
            known.served.clear()
            known.unknown_batches = False
