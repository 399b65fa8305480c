"""Makes starts and ends durable, many together: in the journal where that will do, else in a transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from soundforge_nb.jobs import folding
from soundforge_nb.jobs.counting import Counting
from soundforge_nb.jobs.ends import Ack, Acknowledged, acknowledge
from soundforge_nb.jobs.folding import Start
from soundforge_nb.jobs.parts import Parts
from soundforge_nb.jobs.states import State


class Recorder:
    """Answers in the order of what it is given.

    Parameters
    ----------
    parts : Parts
    counting : Counting
        Told of each end that was recorded.
    families : callable
        Whether any job waits or waited for another; None: the table knows.
    """

    def __init__(self, parts: Parts, counting: Counting, families: Callable[[], bool | None]) -> None:
        self._ledger = parts.ledger
        self._clock = parts.clock
        self._store = parts.store
        self._counting = counting
        self._families = families

    async def starts(self, groups: list[Sequence[Start]]) -> list[None]:
        """Starts that were asked for together, of several who asked."""
        now = self._clock.now()
        # The ledger is the fence: of an application's leases it knows which live.
        await self._store().note(
            "start", [folding.started(start, now) for group in groups for start in group]
        )
        return [None] * len(groups)

    async def ends(self, acks: list[Ack]) -> list[Acknowledged]:
        """What became of each, and of those that had waited for it."""
        now = self._clock.now()
        families = self._families()
        if families is False and all(map(_is_light, acks)):
            # The ledger is the fence, and again the table's own when it is told.
            answers = [Acknowledged(self._ledger.get(ack.lease_id) is not None) for ack in acks]
            live = [ack for ack, answer in zip(acks, answers, strict=True) if answer.accepted]
            await self._store().note("acknowledge", [folding.ended(ack, now) for ack in live])
        else:
            answers = await self._store().write(
                "acknowledge", lambda session: acknowledge(session, acks, now, families)
            )
        # At once: a count that was made behind this commit must find it told of already.
        for ack, answer in zip(acks, answers, strict=True):
            lease = self._ledger.get(ack.lease_id)
            if answer.accepted and lease is not None:
                self._counting.ended(lease.job.queue, ack.state)
            if answer.followers:
                self._counting.forget()
        return answers


def _is_light(ack: Ack) -> bool:
    """Whether an end changes nothing but its job, and gives nobody something to claim at once."""
    rows = any(insert.rows for insert in ack.inserts)
    return not rows and not ack.updates and ack.state is not State.AVAILABLE
