"""Scripts as a person has them, each in an interpreter of its own, and what their processes took."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).parents[2]
#: Compiled code and caches, kept over runs: nobody's first call is measured.
CACHE = ROOT / "build" / "bench-cache"
_SAMPLE_SECONDS = 0.2


def environment() -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "NUMBA_CACHE_DIR": str(CACHE / "numba"),
        "SOUNDFORGE_SHARED_CACHE_FOLDER": str(CACHE),
    }


def start(module: str, *arguments: object) -> subprocess.Popen[str]:
    """Run a module of this package; its last line on stdout is JSON."""
    return subprocess.Popen(
        [sys.executable, "-m", f"tests.benchmarks.{module}", *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
        cwd=ROOT,
    )


def run(module: str, *arguments: object) -> Any:
    """Run a module to its end; returns what it printed."""
    process = start(module, *arguments)
    out, _ = process.communicate(timeout=1800)
    if process.returncode:
        raise RuntimeError(f"{module} ended with status {process.returncode}: {out}")
    return json.loads(out.splitlines()[-1])


class PeakMemory:
    """The largest proportional set size (PSS) of a process and all below it, sampled while it runs.

    PSS counts a page that several processes share once in all, so that forks and shared libraries are
    not counted twice.
    """

    def __init__(self, pid: int) -> None:
        self.peak_bytes = 0
        self._root = psutil.Process(pid)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> PeakMemory:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()

    def _sample(self) -> None:
        while not self._over.wait(_SAMPLE_SECONDS):
            self.peak_bytes = max(self.peak_bytes, pss_bytes(self._root))


def pss_bytes(root: psutil.Process) -> int:
    total = 0
    with suppress(psutil.Error):
        for process in (root, *root.children(recursive=True)):
            with suppress(psutil.Error):
                total += process.memory_full_info().pss
    return total


def cpu_seconds(root: psutil.Process) -> float:
    """CPU time of a process and all below it, those that ended included."""
    total = 0.0
    for process in (root, *root.children(recursive=True)):
        with suppress(psutil.Error):
            times = process.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total
