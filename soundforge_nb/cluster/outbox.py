"""What a Dask worker's threads have to say, gathered: waking the event loop is what costs."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import distributed

from soundforge_nb.cluster import streams

#: How long what can wait may wait for more.
GATHER_SECONDS = 0.005


class Outbox:
    """Messages go out in the order in which they came, ends that follow each other as one message."""

    def __init__(self, worker: distributed.Worker) -> None:
        self._worker = worker
        self._lock = threading.Lock()
        self._waiting: list[dict[str, Any]] = []
        #: Whether the loop was woken, and whether it was told to look within a moment.
        self._woken = False
        self._timed = False

    def say(self, messages: Sequence[dict[str, Any]], *, at_once: bool = True) -> None:
        """From any thread; what may wait goes out with what may not, or within a moment."""
        with self._lock:
            self._waiting.extend(messages)
            wake = not self._woken if at_once else not (self._woken or self._timed)
            self._woken |= at_once
            self._timed |= not at_once
        if wake:
            self._worker.loop.add_callback(self._send if at_once else self._send_soon)

    def _send_soon(self) -> None:
        self._worker.loop.call_later(GATHER_SECONDS, self._send)

    def _send(self) -> None:
        with self._lock:
            messages, self._waiting = self._waiting, []
            self._woken = self._timed = False
        ends: list[streams.End] = []
        for message in messages:
            if message["op"] == streams.ENDED:
                ends.extend(message["ends"])
                continue
            self._send_ends(ends)
            ends = []
            self._worker.batched_send(message)
        self._send_ends(ends)

    def _send_ends(self, ends: list[streams.End]) -> None:
        if ends:
            self._worker.batched_send(streams.ended(ends))
