"""Events with measurements, and those who listen to them.

After Elixir's telemetry library: whoever does something calls `execute`, whoever wants to know
attaches a handler. A handler that raises is detached, so that a broken listener never breaks work.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

log = logging.getLogger(__name__)

Handler = Callable[[str, Mapping[str, float], Mapping[str, Any]], None]


class Telemetry:
    """A set of handlers, each attached to named events. Safe to use from any thread."""

    def __init__(self) -> None:
        self._handlers: dict[str, tuple[frozenset[str], Handler]] = {}
        # Writers replace the mapping under the lock; `execute` reads whichever stands, without one.
        self._lock = threading.Lock()

    def attach(self, handler_id: str, events: Iterable[str], handler: Handler) -> None:
        """Have `handler(event, measurements, metadata)` called at each of `events`.

        Raises
        ------
        ValueError
            A handler of this id is attached already.
        """
        with self._lock:
            if handler_id in self._handlers:
                raise ValueError(f"a handler named {handler_id!r} is attached already")
            self._handlers = {**self._handlers, handler_id: (frozenset(events), handler)}

    def detach(self, handler_id: str) -> None:
        """Forget a handler; one that is not attached is no error."""
        with self._lock:
            self._handlers = {key: value for key, value in self._handlers.items() if key != handler_id}

    def attached(self) -> list[str]:
        return list(self._handlers)

    def execute(
        self,
        event: str,
        measurements: Mapping[str, float] | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        """Tell every handler of `event`, in the calling thread."""
        for handler_id, (events, handler) in self._handlers.items():
            if event not in events:
                continue
            try:
                handler(event, measurements or {}, metadata or {})
            except Exception:
                log.exception("telemetry handler %r raised at %s and is detached", handler_id, event)
                self.detach(handler_id)

    @contextmanager
    def span(self, event: str, metadata: Mapping[str, Any] | None = None) -> Iterator[None]:
        """`event.start` before, `event.stop` or `event.exception` after, with the duration."""
        metadata = metadata or {}
        self.execute(f"{event}.start", {"system_time_seconds": time.time()}, metadata)
        started = time.perf_counter()
        try:
            yield
        except BaseException as error:
            duration = {"duration_seconds": time.perf_counter() - started}
            self.execute(f"{event}.exception", duration, {**metadata, "error": repr(error)})
            raise
        self.execute(f"{event}.stop", {"duration_seconds": time.perf_counter() - started}, metadata)
