"""Whether memory stays flat: what the application and its Dask worker hold after many more jobs than a few.

The yardstick is the same process after the first jobs; a leak of a kilobyte a job would show as megabytes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psutil

from tests.benchmarks.table import Measurement

FIRST, MANY, CALL = 500, 5_000, 500


def measure(folder: Path) -> list[Measurement]:
    import soundforge_nb as sf
    from soundforge_nb.cluster.discovery import read_whereabouts

    forge = sf.connect(data_folder=folder, kinds="tests.benchmarks.noop:Noop", analysis_limit=27)
    with forge:
        whereabouts = read_whereabouts(forge.config.scheduler_file)
        assert whereabouts is not None
        application = psutil.Process(whereabouts.pid)
        _run(forge, FIRST)
        # Caches fill at first: the second stretch tells a leak from that.
        held = [_held(application)]
        for _ in range(2):
            _run(forge, MANY)
            held.append(_held(application))
        forge.call("stop")
    application.wait(60)
    return [
        Measurement(
            f"memory of {name} after {FIRST + later * MANY} jobs (anonymous)",
            held[later][name] / 1e6,
            "MB",
            f"after {FIRST + (later - 1) * MANY}",
            held[later - 1][name] / 1e6,
        )
        for name in held[0]
        for later in (1, 2)
    ]


def _run(forge: Any, jobs: int) -> None:
    for _ in range(jobs // CALL):
        assert forge.wait(forge.insert("noop", [{}] * CALL), 600), "the jobs did not end"


def _held(application: psutil.Process) -> dict[str, int]:
    """The application itself, and the largest of those below it: the Dask worker."""
    below = map(_own_bytes, application.children(recursive=True))
    return {"the application": _own_bytes(application), "its Dask worker": max(below)}


def _own_bytes(process: psutil.Process) -> int:
    """Without what is mapped from files: how much of that counts depends on who else has it open."""
    memory = process.memory_info()
    return int(memory.rss - getattr(memory, "shared", 0))
