"""One storm from its beginning to its inventory."""

from __future__ import annotations

import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import soundfile

import soundforge_nb as sf
from soundforge_nb.cluster.discovery import read_whereabouts
from tests.chaos import inventory
from tests.chaos.migrating import kill_a_migration
from tests.chaos.storm import Storm, wait_for_calm

#: How long everything may take to end once nobody is killed any more.
CALM_SECONDS = 300.0

KINDS = "tests.chaos.kinds:Trace,tests.chaos.kinds:Brief"


def storm(kills: int, migrations: int, seed: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Kill `kills` processes among flowing jobs and `migrations` among starts on an old library.

    Returns
    -------
    dict
        The inventory, with ``kills`` by phase and victim, ``faults`` (none, it must be), ``seconds``.
    """
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="soundforge-chaos-") as place:
        folder = Path(place) / "data"
        songs = [_song(Path(place) / f"song {number}.wav", number) for number in range(4)]
        forge = sf.connect(data_folder=folder, kinds=KINDS, analysis_limit=8)
        with forge:
            weather = Storm(forge, folder, seed, songs)
            weather.blow(kills, say)
            say("the storm is over; waiting for all to end")
            wait_for_calm(forge, weather, CALM_SECONDS)
            found = inventory.count(forge, weather)
            _end(forge, folder)
        chance = random.Random(seed)
        moments: Counter[str] = Counter()
        for number in range(migrations):
            moments[kill_a_migration(Path(place) / f"old {number}", chance)] += 1
            say(f"migration {number + 1} of {migrations} killed")
    told = {f"{victim}, {phase}": count for (phase, victim), count in sorted(weather.kills.items())}
    told |= {f"application, migrating, {moment}": count for moment, count in sorted(moments.items())}
    return {
        **found,
        "kills": told,
        "moments_missed": dict(weather.missed),
        "faults": inventory.faults(found),
        "seed": seed,
        "seconds": round(time.monotonic() - began),
    }


def _end(forge: sf.Forge, folder: Path) -> None:
    whereabouts = read_whereabouts(folder / "scheduler.json")
    forge.call("stop")
    if whereabouts is not None and psutil.pid_exists(whereabouts.pid):
        psutil.Process(whereabouts.pid).wait(60)


def _song(path: Path, number: int) -> Path:
    rate = 44_100
    t = np.arange(int((1.5 + number / 2) * rate)) / rate
    tone = 0.2 * np.sin(2 * np.pi * (110 + 40 * number) * t)
    noise = 0.02 * np.random.default_rng(number).standard_normal(len(t))
    soundfile.write(path, np.stack([tone + noise, tone - noise], axis=1), rate, subtype="FLOAT")
    return path
