"""The short storm, in CI: what the long one (`make chaos`) does at length."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.chaos.run import storm

KILLS, MIGRATIONS = 12, 2


@pytest.mark.timeout(600)
def test_nothing_is_lost_and_nothing_doubled_whoever_dies(monkeypatch: pytest.MonkeyPatch) -> None:
    # Kinds are imported by name, in the application and on its Dask workers.
    monkeypatch.chdir(Path(__file__).parents[2])
    seed = random.SystemRandom().randrange(1_000_000)
    print(f"seed {seed}")
    found = storm(KILLS, MIGRATIONS, seed, print)
    assert found["faults"] == []
    assert found["promised"] >= 60
    assert found["separations"] >= 1
    assert sum(found["kills"].values()) == KILLS + MIGRATIONS
