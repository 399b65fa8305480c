"""Which chroma and which key profiles find the keys of songs made by code.

    python tests/benchmarks/key_profiles.py

Twelve sorts of songs (timbre, drums, tuning, progression), each in all 24 keys. "exact" is the share of
right keys; "score" is MIREX's: 1 exact, 0.5 a fifth off, 0.3 the relative key, 0.2 the parallel one.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import librosa
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1] / "audio"))

from songs import SAMPLE_RATE_HZ, Song, play

from soundforge_nb.audio.harmony import ChromaBuilder
from soundforge_nb.audio.key import DEFAULT_PROFILES, PROFILES, TONICS, key_correlations

SORTS = {
    "saw, backbeat": {},
    "sine, no drums": {"timbre": "sine", "drums": None},
    "organ, detuned 35 cents": {"timbre": "organ", "detune_cents": 35},
    "square, loud sixteenths": {"timbre": "square", "drums": "sixteenths", "drum_level": 2.5},
    "bright, progression 2": {"timbre": "bright", "progression": 1},
    "bell, four on the floor": {"timbre": "bell", "drums": "four on the floor"},
    "saw, detuned -20 cents": {"detune_cents": -20, "progression": 2},
    "organ, progression 4": {"timbre": "organ", "progression": 3, "drums": "half time"},
    "bright, loud breakbeat": {"timbre": "bright", "drums": "breakbeat", "drum_level": 2.5},
    "square, progression 3": {"timbre": "square", "progression": 2},
    "sine, detuned 45, drums": {"timbre": "sine", "detune_cents": 45, "progression": 1},
    "bell, progression 4": {"timbre": "bell", "progression": 3, "bpm": 90},
}

Chroma = NDArray[np.floating]


def ours(y: NDArray[np.float32]) -> Chroma:
    builder = ChromaBuilder()
    builder.push(y)
    return builder.finish()[0].mean(axis=1)


CHROMAS: dict[str, Callable[[NDArray[np.float32]], Chroma]] = {
    "chroma_stft": lambda y: librosa.feature.chroma_stft(y=y, sr=SAMPLE_RATE_HZ).mean(axis=1),
    "chroma_cqt": lambda y: librosa.feature.chroma_cqt(y=y, sr=SAMPLE_RATE_HZ).mean(axis=1),
    "ours": ours,
}


def score(found: str, truth: str) -> float:
    """MIREX's weighted score of one key."""
    (tonic, mode), (true_tonic, true_mode) = found.split(), truth.split()
    distance = (TONICS.index(tonic) - TONICS.index(true_tonic)) % 12
    if mode == true_mode:
        return {0: 1.0, 7: 0.5, 5: 0.5}.get(distance, 0.0)
    if distance == (9 if mode == "minor" else 3):
        return 0.3
    return 0.2 if distance == 0 else 0.0


def name_of(chroma: Chroma, profiles: str) -> str:
    best = int(np.argmax(key_correlations(chroma.astype(np.float64), profiles)))
    return f"{TONICS[best % 12]} {'major' if best < 12 else 'minor'}"


def songs(sort: str) -> list[Song]:
    """The 24 songs of one sort."""
    options = {"seconds": 16.0, **SORTS[sort]}
    return [
        Song(tonic=tonic, mode=mode, seed=tonic + 12 * (mode == "minor"), **options)
        for mode in ("major", "minor")
        for tonic in range(12)
    ]


def main() -> None:
    exact: dict[tuple[str, str], list[float]] = {}
    scores: dict[tuple[str, str], list[float]] = {}
    for sort in SORTS:
        for song in songs(sort):
            y = play(song)
            for chroma_name, chroma in CHROMAS.items():
                heard = chroma(y)
                for profiles in PROFILES:
                    found = name_of(heard, profiles)
                    exact.setdefault((chroma_name, profiles), []).append(float(found == song.key))
                    scores.setdefault((chroma_name, profiles), []).append(score(found, song.key))
    print(f"{'chroma':14}{'profiles':20}{'exact':>8}{'score':>8}   songs: {len(SORTS) * 24}")
    for (chroma_name, profiles), hits in exact.items():
        mean_score = np.mean(scores[chroma_name, profiles])
        print(f"{chroma_name:14}{profiles:20}{np.mean(hits):8.1%}{mean_score:8.3f}")
    print(f"\nours, {DEFAULT_PROFILES}, by sort")
    by_sort = np.array(exact["ours", DEFAULT_PROFILES]).reshape(len(SORTS), 24).mean(axis=1)
    for sort, share in zip(SORTS, by_sort, strict=True):
        print(f"{sort:34}{share:8.1%}")


if __name__ == "__main__":
    main()
