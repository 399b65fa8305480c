"""Songs through the whole house, beside a plain loop of the same calls: wall time and peak memory.

Each side is a script in a fresh interpreter, from its start to its last result; ours starts its application
in that time. Both find their code compiled (numba) and their files in the system's cache.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from tests.benchmarks import scripts, songs
from tests.benchmarks.table import Measurement

#: In turn, so that whatever else the machine does meets both; the best of each counts.
ROUNDS = 2


def measure(folder: Path) -> list[Measurement]:
    warm = songs.write_songs(folder / "warm", count=1, seconds=4)
    scripts.run("plain_loop", folder / "plain", *warm)
    _forge(folder / "warm data", warm)
    files = songs.write_songs(folder / "songs")
    plain, forge = [], []
    for number in range(ROUNDS):
        plain.append(_timed("plain_loop", folder / "plain", files))
        forge.append(_forge(folder / f"data {number}", files))
    what = f"{len(files)} songs of {songs.SECONDS} s, separated (demo) and analyzed (all)"
    (seconds, memory), (plain_seconds, plain_memory) = map(_best, (forge, plain))
    loop = "a plain loop, model loaded once"
    return [
        Measurement(what, seconds, "s", loop, plain_seconds),
        Measurement("peak memory of all its processes (PSS)", memory / 1e6, "MB", loop, plain_memory / 1e6),
    ]


def _best(rounds: list[tuple[float, int]]) -> tuple[float, int]:
    return min(seconds for seconds, _ in rounds), min(memory for _, memory in rounds)


def _forge(data_folder: Path, files: list[Path]) -> tuple[float, int]:
    import soundforge_nb as sf

    measured = _timed("forge_script", data_folder, files)
    with sf.connect(data_folder=data_folder) as forge:
        forge.call("stop")
    shutil.rmtree(data_folder / "stems", ignore_errors=True)
    return measured


def _timed(module: str, folder: Path, files: list[Path]) -> tuple[float, int]:
    begun = time.perf_counter()
    process = scripts.start(module, folder, *files)
    with scripts.PeakMemory(process.pid) as memory:
        out, _ = process.communicate(timeout=1800)
        seconds = time.perf_counter() - begun
    if process.returncode or int(out.splitlines()[-1]) != len(files):
        raise RuntimeError(f"{module} ended with status {process.returncode}: {out}")
    return seconds, memory.peak_bytes
