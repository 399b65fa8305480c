"""Chroma from one constant-Q transform, block by block, with the tuning found afterwards.

The transform has three bins a semitone. What stands out of its surroundings (notes do, drums do not) is
compressed by a square root and folded to one octave as it comes; bass and kick drum stay below the range, for
they say which chord, not which key. Each of these steps was chosen by tests/benchmarks/key_profiles.py.

When the whole song has passed, the tuning is read from the folded bins (Zhu, Kankanhalli and Gao, "Music key
detection for musical audio", MMM 2005: the phase of the pattern that repeats each semitone), and the bins are
gathered into the twelve pitch classes around it. So a long file needs one pass and no second transform.
"""

from __future__ import annotations

import librosa
import numpy as np
from numpy.typing import NDArray

from soundforge_nb.audio.framing import Signal
from soundforge_nb.audio.spectra import SAMPLE_RATE_HZ

#: A multiple of 2 ** OCTAVES, so that the transform can halve the rate for each octave.
HOP_LENGTH = 2048
OCTAVES = 4
BINS_PER_SEMITONE = 3
BINS_PER_OCTAVE = 12 * BINS_PER_SEMITONE
LOWEST_HZ = float(librosa.note_to_hz("C3"))
#: Bins, four semitones in all, whose mean is the floor that a note must stand out of.
FLOOR_BINS = 13
#: On each side of a block: more than half of the longest filter (0.4 s), in whole hops.
CONTEXT = 8 * HOP_LENGTH
#: Blocks of about half a minute.
BLOCK = 320 * HOP_LENGTH

Chroma = NDArray[np.float32]


class ChromaBuilder:
    """Takes the signal in blocks; `finish` gives chroma of shape ``(12, frames)``, hop `HOP_LENGTH`."""

    def __init__(self) -> None:
        self._held: Signal = np.zeros(CONTEXT, np.float32)
        self._folded: list[Chroma] = []
        self._length = 0

    def push(self, y: Signal) -> None:
        """Add samples of shape ``(samples,)`` at 22050 Hz."""
        self._length += len(y)
        self._held = np.concatenate([self._held, y])
        while len(self._held) >= BLOCK + 2 * CONTEXT:
            self._transform(self._held[: BLOCK + 2 * CONTEXT], BLOCK // HOP_LENGTH)
            self._held = self._held[BLOCK:]

    def finish(self) -> tuple[Chroma, float]:
        """Chroma, and the tuning in semitones off A = 440 Hz, -0.5 … 0.5."""
        frames = 1 + self._length // HOP_LENGTH - sum(part.shape[1] for part in self._folded)
        if frames > 0:
            missing = max(0, frames * HOP_LENGTH + 2 * CONTEXT - len(self._held))
            self._transform(np.concatenate([self._held, np.zeros(missing, np.float32)]), frames)
        folded = np.concatenate(self._folded, axis=1)
        tuning = tuning_of(folded.sum(axis=1, dtype=np.float64))
        return pitch_classes(folded, tuning), tuning

    def _transform(self, y: Signal, frames: int) -> None:
        spectrum = np.abs(
            librosa.cqt(
                y,
                sr=SAMPLE_RATE_HZ,
                hop_length=HOP_LENGTH,
                fmin=LOWEST_HZ,
                n_bins=OCTAVES * BINS_PER_OCTAVE,
                bins_per_octave=BINS_PER_OCTAVE,
                # Known beforehand, else librosa would look for it in each block anew.
                tuning=0.0,
            )
        )
        first = CONTEXT // HOP_LENGTH
        self._folded.append(fold(np.sqrt(standing_out(spectrum[:, first : first + frames]))))


def standing_out(spectrum: NDArray[np.float32]) -> NDArray[np.float32]:
    """How far each bin stands above the mean of `FLOOR_BINS` around it, same shape; 0 where it does not."""
    reach = FLOOR_BINS // 2
    padded = np.pad(spectrum, ((reach + 1, reach), (0, 0)), mode="reflect")
    total = np.cumsum(padded, axis=0, dtype=np.float64)
    floor = (total[FLOOR_BINS:] - total[:-FLOOR_BINS]) / FLOOR_BINS
    return np.maximum(spectrum - floor, 0.0).astype(np.float32)


def fold(spectrum: NDArray[np.float32]) -> Chroma:
    """Sum the octaves: shape ``(OCTAVES * BINS_PER_OCTAVE, frames)`` to ``(BINS_PER_OCTAVE, frames)``."""
    folded: Chroma = spectrum.reshape(OCTAVES, BINS_PER_OCTAVE, -1).sum(axis=0).astype(np.float32)
    return folded


def tuning_of(bins: NDArray[np.float64]) -> float:
    """How far the pitches lie from A = 440 Hz, in semitones, from the summed bins of an octave.

    >>> abs(round(tuning_of(np.tile([1.0, 0.0, 0.0], 12)), 2))
    0.0
    """
    turn = np.exp(-2j * np.pi * np.arange(BINS_PER_OCTAVE) / BINS_PER_SEMITONE)
    return float(-np.angle(np.sum(bins * turn)) / (2 * np.pi)) + 0.0


def pitch_classes(folded: Chroma, tuning: float) -> Chroma:
    """Gather the bins around each pitch class: triangles one semitone wide, shifted by the tuning."""
    position = np.arange(BINS_PER_OCTAVE) / BINS_PER_SEMITONE - tuning
    distance = position[None, :] - np.arange(12)[:, None]
    distance = np.abs((distance + 6) % 12 - 6)
    weights = np.maximum(0.0, 1.0 - distance * 1.5).astype(np.float32)
    gathered: Chroma = weights @ folded
    return gathered
