"""Real applications: a process of its own, nannied Dask workers, real children, real audio."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import soundfile

import soundforge_nb as sf
from soundforge_nb.cluster.discovery import read_whereabouts

# The web server on loopback that the programs' own tests use.
sys.path.insert(0, str(Path(__file__).parents[1] / "programs"))

RATE_HZ = 44_100


def write_song(path: Path, seconds: float = 8.0, seed: int = 0, rate_hz: int = RATE_HZ) -> Path:
    """A small stereo piece: a pulse at 120 BPM, a bass line and a chord in A minor, with a little noise."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(seconds * rate_hz)) / rate_hz
    beat = np.exp(-((t * 2) % 1) * 25)
    kick = beat * np.sin(2 * np.pi * 60 * t)
    hat = np.exp(-((t * 4) % 1) * 60) * rng.standard_normal(len(t)) * 0.3
    bass = np.sin(2 * np.pi * 110 * t) * (0.6 + 0.4 * beat)
    chord = sum(np.sin(2 * np.pi * f * t + seed) for f in (220.0, 261.63, 329.63)) / 3
    left = 0.25 * kick + 0.1 * hat + 0.15 * bass + 0.15 * chord
    right = 0.25 * kick + 0.08 * hat + 0.15 * bass + 0.12 * np.roll(chord, 30)
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, np.stack([left, right], axis=1), rate_hz, subtype="FLOAT")
    return path


class Application:
    """The processes behind a data folder, as the operating system sees them."""

    def __init__(self, data_folder: Path) -> None:
        self.data_folder = data_folder

    @property
    def process(self) -> psutil.Process:
        whereabouts = read_whereabouts(self.data_folder / "scheduler.json")
        assert whereabouts is not None, "no application serves this folder"
        return psutil.Process(whereabouts.pid)

    def children(self, program: str) -> list[psutil.Process]:
        """Live children that run one of our programs."""
        return [p for p in self.process.children(recursive=True) if f"programs.{program}" in _command(p)]

    def dask_workers(self) -> list[psutil.Process]:
        """The processes that nannies look after: they are the parents of ports, or would be."""
        return [
            p
            for p in self.process.children(recursive=True)
            if "spawn_main" in _command(p) and "programs." not in _command(p)
        ]

    def everyone(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


class Watcher:
    """Follows the outbound topics, and waits until a message fits."""

    def __init__(self, forge: sf.Forge) -> None:
        self._messages: list[dict[str, Any]] = []
        self._changed = threading.Condition()
        self._unfollow = forge.follow(self._note)

    def _note(self, message: dict[str, Any]) -> None:
        with self._changed:
            self._messages.append(message["body"])
            self._changed.notify_all()

    def wait_for(self, fits: Callable[[dict[str, Any]], bool], timeout_seconds: float = 90) -> dict[str, Any]:
        until = time.monotonic() + timeout_seconds
        seen = 0
        with self._changed:
            while True:
                for body in self._messages[seen:]:
                    if fits(body):
                        return body
                seen = len(self._messages)
                if not self._changed.wait(until - time.monotonic()):
                    raise AssertionError(f"no message fitted; the last were {self._messages[-5:]}")

    def close(self) -> None:
        self._unfollow()


def separating(body: dict[str, Any]) -> bool:
    """A separation that has begun its real work."""
    return body.get("kind") == "separate_stems" and body.get("progress", 0) >= 20


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One data folder whose application serves all tests that do not kill it."""
    folder = tmp_path_factory.mktemp("shared") / "data"
    yield folder
    stop(folder)


@pytest.fixture
def forge(shared_folder: Path) -> Iterator[sf.Forge]:
    with sf.connect(data_folder=shared_folder) as connected:
        yield connected


@pytest.fixture
def own_folder(tmp_path: Path) -> Iterator[Path]:
    """A data folder of the test's own; whatever serves it at the end is stopped, and leaves nobody."""
    folder = tmp_path / "data"
    yield folder
    stop(folder)


def stop(folder: Path) -> None:
    """Stop the application of a folder and see that nobody is left."""
    from soundforge_nb import cli

    whereabouts = read_whereabouts(folder / "scheduler.json")
    everyone = Application(folder).everyone() if whereabouts and whereabouts.is_alive() else []
    assert cli.main(["stop", "--data-folder", str(folder)]) == 0
    _, left = psutil.wait_procs(everyone, timeout=15)
    assert not left, f"left behind: {[_command(process) for process in left]}"


@pytest.fixture
def song() -> Callable[..., Path]:
    return write_song


@pytest.fixture
def watcher() -> type[Watcher]:
    return Watcher


@pytest.fixture
def application() -> type[Application]:
    return Application


@pytest.fixture
def is_separating() -> Callable[[dict[str, Any]], bool]:
    return separating
