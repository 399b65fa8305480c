"""The clocks: one that runs, one that a test moves."""

from __future__ import annotations

from datetime import datetime, timedelta

from soundforge_nb.lifecycle.clock import ManualClock, SystemClock


def test_the_system_clock_tells_utc_without_a_mark() -> None:
    now = SystemClock().now()
    assert now.tzinfo is None
    assert SystemClock().monotonic() <= SystemClock().monotonic()


def test_a_manual_clock_moves_both_times_together() -> None:
    clock = ManualClock(datetime(2026, 5, 1))
    clock.advance(90.0)
    assert clock.monotonic() == 90.0
    assert clock.now() == datetime(2026, 5, 1) + timedelta(seconds=90)
