"""Render songs: `python -m training.render --split train --songs 160`.

Each song becomes `<work>/<split>/<number>.npy`: int16 (4 stems, 2 channels, samples), in the order drums,
bass, other, vocals. Seeded by split and number; songs that are there already are left alone. The test
songs are frozen: `frozen_songs.json` holds the SHA-256 of each; rendering them again is checked against it.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from training.compose import compose
from training.mixing import Studio, stems_of

WORK = Path(os.environ.get("SOUNDFORGE_TRAINING", "build/training"))
FROZEN = Path(__file__).with_name("frozen_songs.json")
SEEDS = {"test": 900_000, "valid": 800_000, "train": 0, "plain": 700_000}
SECONDS = {"test": 20.0, "valid": 14.0, "train": 24.0, "plain": 24.0}


def song_path(work: Path, split: str, number: int) -> Path:
    """Where a rendered song lies."""
    return work / split / f"{number:04d}.npy"


def render_song(work: Path, split: str, number: int, seconds: float) -> Path:
    """Compose, play and mix one song; returns its path."""
    path = song_path(work, split, number)
    if path.exists():
        return path
    song = compose(SEEDS[split] + number, seconds)
    studio = Studio(test=split == "test", cache=work / "voices", plain=split == "plain")
    stems = stems_of(song, studio)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}.partial")
    with partial.open("wb") as file:
        np.save(file, np.round(stems * 32767).astype(np.int16))
    partial.replace(path)
    return path


def digest(path: Path) -> str:
    """SHA-256 of a rendered song's samples."""
    return hashlib.sha256(np.load(path).tobytes()).hexdigest()


def freeze(work: Path, songs: int) -> None:
    """Write the hashes of the test songs, or compare with those on record."""
    found = {f"{n:04d}": digest(song_path(work, "test", n)) for n in range(songs)}
    if not FROZEN.exists():
        FROZEN.write_text(
            json.dumps({"seconds": SECONDS["test"], "sha256": found}, indent=1) + "\n", encoding="utf-8"
        )
        print(f"froze {songs} test songs in {FROZEN.name}")
        return
    known = json.loads(FROZEN.read_text(encoding="utf-8"))["sha256"]
    changed = [n for n, value in found.items() if n in known and known[n] != value]
    print(f"{len(found) - len(changed)} songs are the frozen ones; differing: {', '.join(changed) or 'none'}")


def main(arguments: list[str] | None = None) -> None:
    """Render what is missing."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--split", choices=tuple(SEEDS), default="train")
    parser.add_argument("--songs", type=int, default=160)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seconds", type=float, help="length of a song (default: by split)")
    parser.add_argument("--work", type=Path, default=WORK)
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args(arguments)
    seconds = options.seconds or SECONDS[options.split]
    began = time.monotonic()
    numbers = range(options.first, options.first + options.songs)
    with ProcessPoolExecutor(options.processes) as pool:
        waiting = [pool.submit(render_song, options.work, options.split, n, seconds) for n in numbers]
        for n, future in zip(numbers, waiting, strict=True):
            future.result()
            print(f"{options.split} {n}: {time.monotonic() - began:.0f} s", flush=True)
    if options.split == "test" and options.seconds is None and options.first == 0:
        freeze(options.work, options.songs)


if __name__ == "__main__":
    main()
