"""How well the tempo of songs made by code is found.

    python tests/audio/tempo_survey.py

"exact" is within 4 % (MIREX's accuracy 1), "octave" allows for half, double, a third and three times
(accuracy 2), "error" is the median error of the exact ones.
"""

from __future__ import annotations

import sys
from pathlib import Path

import librosa
import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from songs import DRUMS, SAMPLE_RATE_HZ, Song, play

from soundforge_nb.audio.spectra import SpectraBuilder
from soundforge_nb.audio.tempo import find_tempo, onset_strength

TEMPOS = (62, 71, 80, 88, 97, 104, 113, 120, 128, 137, 146, 155, 166, 174)
SORTS: dict[str, dict[str, object]] = {
    **{name: {"drums": name, "timbre": "saw"} for name in DRUMS},
    "no drums": {"drums": None, "timbre": "organ"},
    "drums alone": {"drums": "backbeat", "chords": False},
}


def mel_db_of(y: np.ndarray) -> np.ndarray:
    builder = SpectraBuilder(shape=False)
    builder.push(y)
    return builder.finish().mel_db()


def ours(mel_db: np.ndarray) -> float:
    tempo = find_tempo(mel_db)
    return tempo.bpm if tempo else 0.0


def by_librosa(mel_db: np.ndarray) -> float:
    return float(librosa.feature.tempo(onset_envelope=onset_strength(mel_db), sr=SAMPLE_RATE_HZ)[0])


def near(found: float, truth: float) -> bool:
    return abs(found / truth - 1) <= 0.04


def main() -> None:
    ways = {"ours": ours, "librosa": by_librosa}
    found: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for sort, options in SORTS.items():
        for number, bpm in enumerate(TEMPOS):
            song = Song(
                bpm=bpm, seconds=20, tonic=number % 12, seed=number, progression=number % 4, **options
            )
            mel_db = mel_db_of(play(song))
            for way, find in ways.items():
                found.setdefault((way, sort), []).append((find(mel_db), bpm))
    print(f"{'':10}{'sort':20}{'exact':>8}{'octave':>8}{'error':>8}")
    for (way, sort), pairs in found.items():
        exact = [near(bpm, truth) for bpm, truth in pairs]
        octave = [any(near(bpm, truth * k) for k in (1, 2, 0.5, 3, 1 / 3)) for bpm, truth in pairs]
        errors = [abs(bpm / truth - 1) for (bpm, truth), hit in zip(pairs, exact, strict=True) if hit]
        error = np.median(errors) if errors else np.nan
        print(f"{way:10}{sort:20}{np.mean(exact):8.0%}{np.mean(octave):8.0%}{error:8.2%}")
        wrong = [f"{truth}→{bpm:.0f}" for (bpm, truth), hit in zip(pairs, exact, strict=True) if not hit]
        if "-v" in sys.argv and wrong:
            print("          ", *wrong)
    for way in ways:
        pairs = [pair for (of, _), some in found.items() if of == way for pair in some]
        print(f"{way:10}{'all':20}{np.mean([near(*pair) for pair in pairs]):8.0%}")


if __name__ == "__main__":
    main()
