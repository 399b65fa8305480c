"""Time, handed in: what decides by time takes a `Clock`, so that tests need no sleep."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    def monotonic(self) -> float:
        """Seconds that only grow; for leases and intervals."""
        ...

    def now(self) -> datetime:
        """The wall clock in UTC, without a time zone mark, as the store keeps it."""
        ...


class SystemClock:
    def monotonic(self) -> float:
        return time.monotonic()

    def now(self) -> datetime:
        return datetime.now(UTC).replace(tzinfo=None)


class ManualClock:
    """A clock that stands still until a test moves it."""

    def __init__(self, start: datetime = datetime(2026, 1, 1)) -> None:
        self._start = start
        self._elapsed_seconds = 0.0

    def monotonic(self) -> float:
        return self._elapsed_seconds

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._elapsed_seconds)

    def advance(self, seconds: float) -> None:
        self._elapsed_seconds += seconds
