"""The wait between tries doubles, stays within its cap, and is spread."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from soundforge_nb.jobs.backoff import BASE_SECONDS, CAP_SECONDS, JITTER, backoff_seconds


@given(st.integers(-3, 10_000), st.integers())
def test_it_stays_within_its_bounds(attempt: int, seed: int) -> None:
    wait = backoff_seconds(attempt, rng=random.Random(seed))
    assert BASE_SECONDS * (1 - JITTER) <= wait <= CAP_SECONDS * (1 + JITTER)


@given(st.integers(1, 50))
def test_it_never_shrinks(attempt: int) -> None:
    assert backoff_seconds(attempt, jitter=0) <= backoff_seconds(attempt + 1, jitter=0)


def test_it_is_spread() -> None:
    rng = random.Random(3)
    assert len({backoff_seconds(1, rng=rng) for _ in range(100)}) == 100
