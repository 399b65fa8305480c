"""A unit of work on its way through the store."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

import duckdb

from soundforge_nb.store.faults import refused
from soundforge_nb.store.journal import Event
from soundforge_nb.store.session import Session

T = TypeVar("T")
Work = Callable[[Session], T]


@dataclass
class Unit:
    """Work, or events for the journal, with a future for what comes of it."""

    label: str
    work: Work[Any]
    #: For the journal alone: as it is written down, and as it is kept.
    lines: Sequence[bytes] = ()
    events: Sequence[Event] = ()
    tell_first: bool = True
    future: Future[Any] = field(default_factory=Future)
    submitted: float = field(default_factory=time.perf_counter)

    def fail(self, error: BaseException) -> None:
        """Tell who waits what went wrong, unless somebody has."""
        if not self.future.done():
            self.future.set_exception(
                refused(self.label, error) if isinstance(error, duckdb.Error) else error
            )


def nothing(session: Session) -> None:
    """The work of who only wants the tables told."""
