"""Identifiers that sort by the time they were made: UUID version 7 (RFC 9562, section 5.7)."""

from __future__ import annotations

import os
import threading
import time
import uuid

_lock = threading.Lock()
_last_milliseconds = 0
_counter = 0


def new_id() -> str:
    """A UUIDv7 as text; those made by one process sort in the order they were made.

    >>> first, second = new_id(), new_id()
    >>> first < second, uuid.UUID(first).version
    (True, 7)
    """
    global _last_milliseconds, _counter
    with _lock:
        milliseconds = time.time_ns() // 1_000_000
        if milliseconds > _last_milliseconds:
            _last_milliseconds, _counter = milliseconds, int.from_bytes(os.urandom(4)) >> 7
        else:
            # The same millisecond, or a clock set back: the 26-bit counter keeps the order.
            _counter += 1
            if _counter >> 26:
                _last_milliseconds, _counter = _last_milliseconds + 1, 0
        milliseconds, counter = _last_milliseconds, _counter
    high, low = counter >> 14, counter & 0x3FFF
    value = milliseconds << 80 | 7 << 76 | high << 64
    value |= 2 << 62 | low << 48 | int.from_bytes(os.urandom(6))
    return str(uuid.UUID(int=value))
