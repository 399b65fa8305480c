"""Identifiers sort by the time they were made, within a process and within a millisecond."""

from __future__ import annotations

import threading
import time
import uuid

import pytest

from soundforge_nb.lifecycle import identifiers
from soundforge_nb.lifecycle.identifiers import new_id, new_ids


def test_they_are_version_7_and_carry_their_time() -> None:
    before = time.time_ns() // 1_000_000
    made = uuid.UUID(new_id())
    assert made.version == 7
    assert made.variant == uuid.RFC_4122
    # Other tests may have pushed the counter a few milliseconds ahead of the clock.
    assert before <= made.int >> 80 <= time.time_ns() // 1_000_000 + 1000


def test_a_burst_is_in_order() -> None:
    made = [new_id() for _ in range(20_000)] + new_ids(20_000) + [new_id()]
    assert made == sorted(set(made))
    assert all(str(uuid.UUID(one)) == one for one in made)
    assert {uuid.UUID(one).version for one in made} == {7}


def test_a_clock_set_back_keeps_the_order(monkeypatch: pytest.MonkeyPatch) -> None:
    first = new_id()
    monkeypatch.setattr(identifiers.time, "time_ns", lambda: 1_000_000_000)
    assert new_id() > first


def test_a_spent_counter_goes_on_in_the_next_millisecond(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identifiers.time, "time_ns", lambda: 1_000_000_000)
    monkeypatch.setattr(identifiers, "_counter", (1 << 26) - 2)
    made = [new_id() for _ in range(3)]
    assert made == sorted(set(made))


def test_threads_never_make_the_same() -> None:
    made: list[list[str]] = [[] for _ in range(8)]

    def make(place: list[str]) -> None:
        place.extend(new_id() for _ in range(500))

    threads = [threading.Thread(target=make, args=(place,)) for place in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({one for place in made for one in place}) == 4000
    assert all(place == sorted(place) for place in made)
