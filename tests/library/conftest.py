"""Small audio files made by code, and a store to keep tracks in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import settings

from soundforge_nb.store.session import Session
from soundforge_nb.store.store import Store

# A machine that is busy with something else makes no property false.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


RATE_HZ = 22_050


@pytest.fixture
def tone(tmp_path: Path) -> Callable[..., Path]:
    """Writes a short tone; its suffix chooses the format, another pitch gives other bytes."""

    def make(name: str = "tone.wav", pitch_hz: float = 440.0, seconds: float = 0.5) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        time = np.arange(int(RATE_HZ * seconds)) / RATE_HZ
        soundfile.write(path, 0.3 * np.sin(2 * np.pi * pitch_hz * time), RATE_HZ)
        return path

    return make


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "soundforge.duckdb")
    made.open()
    yield made
    made.close()


@pytest.fixture
def session(store: Store) -> Iterator[Session]:
    with store.cursor() as connection:
        yield Session(connection)
