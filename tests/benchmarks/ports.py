"""A cold port: a fresh child for one short clip, beside a fresh interpreter that does the same calls."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from tests.benchmarks import scripts, songs
from tests.benchmarks.table import Measurement

TIMES = 5
_ANALYZE = "import sys\nfrom tests.benchmarks.plain_loop import analyze\nanalyze(sys.argv[1])"


def measure(folder: Path) -> list[Measurement]:
    (clip,) = songs.write_songs(folder, count=1, seconds=3)
    hellos: list[float] = []
    (folder / "stems").mkdir()
    analyze, separate = _callers(folder, clip, hellos)
    plain = {
        "pass": lambda: _python("-c", "pass"),
        "analyze": lambda: _python("-c", _ANALYZE, clip),
        "separate": lambda: scripts.run("plain_separation", folder / "plain", clip),
    }
    for warm in (analyze, separate, *plain.values()):
        warm()
    hellos.clear()
    ours = {"analyze": _median(analyze), "separate": _median(separate)}
    theirs = {name: _median(call) for name, call in plain.items()}
    interpreter = "a fresh Python"
    return [
        Measurement("cold port, to its hello", 1e3 * median(hellos), "ms", interpreter, 1e3 * theirs["pass"]),
        Measurement(
            "cold port, 3 s analyzed", ours["analyze"], "s", f"{interpreter}, librosa", theirs["analyze"]
        ),
        Measurement(
            "cold port, 3 s separated", ours["separate"], "s", f"{interpreter}, Demucs", theirs["separate"]
        ),
    ]


def _callers(folder: Path, clip: Path, hellos: list[float]) -> tuple[Callable[[], Any], Callable[[], Any]]:
    from soundforge_nb import config
    from soundforge_nb.ports.analyzer import Analyzer
    from soundforge_nb.ports.cold import cold_port
    from soundforge_nb.ports.program import ANALYZE, SEPARATE
    from soundforge_nb.ports.separator import Parameters, Separator

    settings = config.load(folder / "data", shared_cache_folder=scripts.CACHE)

    def note(name: str, measurements: dict[str, float], metadata: dict[str, Any]) -> None:
        if name == "port.stop":
            hellos.append(measurements["start_seconds"])

    analyzer = Analyzer(cold_port(ANALYZE, settings, threads=2, on_event=note), settings, threads=2)
    separator = Separator(cold_port(SEPARATE, settings, threads=2, on_event=note), settings, threads=2)
    return (
        lambda: analyzer.analyze(clip),
        lambda: separator.separate(clip, folder / "stems", Parameters(model="demo")),
    )


def _python(*arguments: object) -> None:
    subprocess.run(
        [sys.executable, *map(str, arguments)],
        check=True,
        env=scripts.environment(),
        cwd=scripts.ROOT,
    )


def _median(call: Callable[[], Any]) -> float:
    seconds = []
    for _ in range(TIMES):
        begun = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - begun)
    return median(seconds)
