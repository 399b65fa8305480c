"""Kills while an older library is migrated: the next start finds all of it, of the old schema or the new."""

from __future__ import annotations

import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import psutil

import soundforge_nb as sf

OLDEST = Path(__file__).parents[1] / "store" / "schemas" / "0001.duckdb"
#: A start migrates within this time: see where the kills fell.
_MOST_SECONDS = 2.5


def kill_a_migration(folder: Path, chance: random.Random) -> str:
    """Start on an old library, kill it somewhere on its way, and look at what the next start finds."""
    folder.mkdir(parents=True)
    library = folder / "soundforge.duckdb"
    shutil.copy(OLDEST, library)
    command = [sys.executable, "-m", "soundforge_nb.cli", "serve", "--data-folder", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    # From its first sign of life in the folder on: before that it only imports.
    until = time.monotonic() + 30
    while not (folder / "tls").exists() and time.monotonic() < until:
        time.sleep(0.002)
    time.sleep(chance.uniform(0, _MOST_SECONDS) ** 2 / _MOST_SECONDS)
    copied = (folder / "soundforge.schema-0001.duckdb").exists()
    everyone = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    process.kill()
    process.wait()
    psutil.wait_procs(everyone, timeout=20)
    with sf.connect(data_folder=folder) as forge:
        (row,) = forge.sql(
            "SELECT (SELECT count(*) FROM tracks) AS tracks, (SELECT count(*) FROM stems) AS stems,"
            " (SELECT count(*) FROM jobs) AS jobs, (SELECT title FROM tracks) AS title"
        ).dicts()
        forge.call("stop")
    assert row == {"tracks": 1, "stems": 1, "jobs": 1, "title": "Über “alles”"}, row
    return "after its copy" if copied else "before its copy"
