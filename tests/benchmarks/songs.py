"""Songs to measure with: variants of the demo song, made from its stems."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

SECONDS = 24
COUNT = 6


def write_songs(folder: Path, count: int = COUNT, seconds: float = SECONDS) -> list[Path]:
    """Each variant begins elsewhere and has other levels of the stems: no two are the same file."""
    from soundforge_nb.forge.demo import true_stems

    stems = true_stems()
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    for number in range(count):
        gains = rng.uniform(0.6, 1.0, len(stems))
        rate_hz = next(iter(stems.values()))[1]
        mixture = np.sum(
            [gain * samples for gain, (samples, _) in zip(gains, stems.values(), strict=True)], axis=0
        )
        start = number * len(mixture) // max(count, 1)
        song = np.roll(mixture, -start, axis=0)[: int(seconds * rate_hz)]
        files.append(folder / f"variant {number + 1}.wav")
        soundfile.write(files[-1], song.astype(np.float32), rate_hz, subtype="FLOAT")
    return files
