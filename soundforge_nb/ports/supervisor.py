"""The port supervisor of a Dask worker: which children live here, and the way to end them."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from soundforge_nb.errors import PortCancelled
from soundforge_nb.ports.child import Child

#: Called with an event's name, measurements and metadata.
OnEvent = Callable[[str, dict[str, float], dict[str, Any]], None]

#: How long, and how many, cancellations of owners without a live port are kept.
REMEMBERED_SECONDS = 600.0
REMEMBERED_OWNERS = 10_000
#: What a port thread may need beyond the grace to see, reap and report an end.
_MARGIN_SECONDS = 1.0


@dataclass(frozen=True)
class LivePort:
    """A child process that runs now.

    Attributes
    ----------
    pid : int or None
        None while it is being started.
    program : str
    owner : str
        Whose work it does, as the caller of `Port.call` named it.
    age_seconds : float
    memory_bytes : int
        Resident memory of the child and of everything it started.
    """

    pid: int | None
    program: str
    owner: str
    age_seconds: float
    memory_bytes: int


class PortSupervisor:
    """Knows every port of this process. All methods may be called from any thread.

    Parameters
    ----------
    grace_seconds : float
        How long `close` lets children tidy up before it kills them.
    clock : callable
        Seconds that only grow.
    on_event : callable, optional
        Told of every port's start and end: see `Port`.
    """

    def __init__(
        self,
        *,
        grace_seconds: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
        on_event: OnEvent | None = None,
    ) -> None:
        self.on_event = on_event
        self._grace_seconds = grace_seconds
        self._clock = clock
        self._changed = threading.Condition()
        self._live: set[Child] = set()
        self._cancelled: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self._closed = False

    def ports(self) -> list[LivePort]:
        """The live ports, oldest first."""
        with self._changed:
            live = sorted(self._live, key=lambda child: child.born)
        return [
            LivePort(child.pid, child.program.name, child.owner, child.age_seconds, child.memory_bytes())
            for child in live
        ]

    def cancel(self, owner: str, reason: str) -> bool:
        """End the work of `owner`: what runs now, and what it would start in the next minutes.

        The cancel may overtake the start of the child, so it is remembered. An owner is therefore one
        lease of one job, never the job itself, whose next attempt must not meet an old cancel.

        Returns
        -------
        bool
            Whether a live port was told to end. It ends as cancelled, then, whatever it still says.
        """
        with self._changed:
            self._remember(owner, reason)
            told = [child.cancel(reason) for child in self._live if child.owner == owner]
        return any(told)

    def close(self) -> None:
        """End every child within the grace, then by force; from now on refuse new ones."""
        with self._changed:
            self._closed = True
            for child in self._live:
                child.cancel(_CLOSING)
            if self._changed.wait_for(self._empty, self._grace_seconds):
                return
            live = list(self._live)
        for child in live:
            child.kill()
        with self._changed:
            self._changed.wait_for(self._empty, _MARGIN_SECONDS)

    @contextmanager
    def watch(self, child: Child) -> Iterator[None]:
        """Count `child` among the live ports, from before its start until after its end.

        Raises
        ------
        PortCancelled
            Its owner was cancelled already, or the supervisor is closed.
        """
        with self._changed:
            reason = _CLOSING if self._closed else self._remembered(child.owner)
            if reason is not None:
                raise PortCancelled(f"The program {child.program.name} was not started: {reason}.")
            self._live.add(child)
        try:
            yield
        finally:
            with self._changed:
                self._live.discard(child)
                self._changed.notify_all()

    def _empty(self) -> bool:
        return not self._live

    def _remember(self, owner: str, reason: str) -> None:
        self._cancelled.pop(owner, None)
        self._cancelled[owner] = (reason, self._clock())
        while len(self._cancelled) > REMEMBERED_OWNERS:
            self._cancelled.popitem(last=False)

    def _remembered(self, owner: str) -> str | None:
        now = self._clock()
        while self._cancelled:
            oldest, (_, since) = next(iter(self._cancelled.items()))
            if now - since < REMEMBERED_SECONDS:
                break
            del self._cancelled[oldest]
        return self._cancelled[owner][0] if owner and owner in self._cancelled else None


_CLOSING = "the Dask worker is closing"
