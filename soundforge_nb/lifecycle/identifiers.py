"""Identifiers that sort by the time they were made: UUID version 7 (RFC 9562, section 5.7)."""

from __future__ import annotations

import os
import threading
import time

_lock = threading.Lock()
_last_milliseconds = 0
_counter = 0


def new_id() -> str:
    """A UUIDv7 as text; those made by one process sort in the order they were made.

    >>> first, second = new_id(), new_id()
    >>> first < second, len(first), first[14]
    (True, 36, '7')
    """
    return new_ids(1)[0]


def new_ids(count: int) -> list[str]:
    """So many of them, in order.

    >>> ids = new_ids(3)
    >>> sorted(ids) == ids, len(set(ids)), new_ids(0)
    (True, 3, [])
    """
    random = os.urandom(6 * count)
    with _lock:
        return [_next(random[at : at + 6]) for at in range(0, 6 * count, 6)]


def _next(random: bytes) -> str:
    global _last_milliseconds, _counter
    milliseconds = time.time_ns() // 1_000_000
    if milliseconds > _last_milliseconds:
        _last_milliseconds, _counter = milliseconds, int.from_bytes(os.urandom(4)) >> 7
    else:
        # The same millisecond, or a clock set back: the 26-bit counter keeps the order.
        _counter += 1
        if _counter >> 26:
            _last_milliseconds, _counter = _last_milliseconds + 1, 0
    high, low = _counter >> 14, _counter & 0x3FFF
    # By hand: `uuid.UUID` takes longer than all the rest.
    time_part = f"{_last_milliseconds:012x}"
    return f"{time_part[:8]}-{time_part[8:]}-7{high:03x}-{0x8000 | low:04x}-{random.hex()}"
