"""The key of a song: its mean chroma against profiles of the 24 keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

TONICS = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")

#: Major and minor profiles, tonic first.
PROFILES: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    # Albrecht and Shanahan, "The use of large corpora to train a new type of key-finding algorithm",
    # Music Perception 31 (2013).
    "albrecht-shanahan": (
        (0.238, 0.006, 0.111, 0.006, 0.137, 0.094, 0.016, 0.214, 0.009, 0.080, 0.008, 0.081),
        (0.220, 0.006, 0.104, 0.123, 0.019, 0.103, 0.012, 0.214, 0.062, 0.022, 0.061, 0.052),
    ),
    # Krumhansl and Kessler, "Tracing the dynamic changes in perceived tonal organization",
    # Psychological Review 89 (1982).
    "krumhansl-kessler": (
        (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88),
        (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17),
    ),
    # Temperley, "Music and Probability" (MIT Press 2007), from the Kostka-Payne corpus.
    "temperley": (
        (0.748, 0.060, 0.488, 0.082, 0.670, 0.460, 0.096, 0.715, 0.104, 0.366, 0.057, 0.400),
        (0.712, 0.084, 0.474, 0.618, 0.049, 0.460, 0.105, 0.747, 0.404, 0.067, 0.133, 0.330),
    ),
}
#: Chosen by tests/benchmarks/key_profiles.py: on this package's chroma 96.5 % of 288 songs' keys, where
#: Albrecht-Shanahan's find 93.1 % (and miss 12 of the songs that these find, against 2 the other way).
DEFAULT_PROFILES = "temperley"
#: There 73 % of the keys were right at margins below 0.02, 86 % around 0.055, and 99 % above 0.1.
_MARGIN_SCALE = 0.03
#: Below this correlation, or with pitch classes as even as this (standard deviation over mean), nothing
#: like a key is there. Songs had 0.68 and 0.44 at least; drums alone 0.54 at most, noise 0.13.
_LEAST_CORRELATION = 0.55
_LEAST_CONTRAST = 0.25


@dataclass(frozen=True)
class Key:
    """A key with its rival.

    `confidence` is 0 … 1: how far the best key's correlation stands above the second's, scaled so that it is
    about the share of songs whose key is right at that margin.
    """

    tonic: str
    mode: str
    confidence: float
    runner_up: str
    correlation: float

    @property
    def name(self) -> str:
        """For example "A minor"."""
        return f"{self.tonic} {self.mode}"

    def as_json(self) -> dict[str, Any]:
        return {
            "tonic": self.tonic,
            "mode": self.mode,
            "confidence": self.confidence,
            "runner_up": self.runner_up,
            "correlation": self.correlation,
        }


def key_correlations(
    chroma: NDArray[np.floating[Any]], profiles: str = DEFAULT_PROFILES
) -> NDArray[np.float64]:
    """Correlation of a mean chroma, shape ``(12,)``, with each key: 12 major, then 12 minor, from C."""
    rotations = np.array([np.roll(profile, tonic) for profile in PROFILES[profiles] for tonic in range(12)])
    centred = rotations - rotations.mean(axis=1, keepdims=True)
    heard = chroma - chroma.mean()
    norm = np.linalg.norm(centred, axis=1) * np.linalg.norm(heard)
    result: NDArray[np.float64] = centred @ heard / np.maximum(norm, 1e-12)
    return result


def find_key(chroma: NDArray[np.floating[Any]], profiles: str = DEFAULT_PROFILES) -> Key | None:
    """The key whose profile a mean chroma, shape ``(12,)``, resembles most.

    None where there is no pitch to speak of: silence, noise, drums alone.
    """
    mean = float(chroma.mean())
    if not mean > 0 or chroma.std() < _LEAST_CONTRAST * mean:
        return None
    correlations = key_correlations(np.asarray(chroma, np.float64), profiles)
    second, best = (int(index) for index in np.argsort(correlations)[-2:])
    if correlations[best] < _LEAST_CORRELATION:
        return None
    margin = float(correlations[best] - correlations[second])
    return Key(
        tonic=TONICS[best % 12],
        mode=_mode(best),
        confidence=float(1 - np.exp(-margin / _MARGIN_SCALE)),
        runner_up=f"{TONICS[second % 12]} {_mode(second)}",
        correlation=float(correlations[best]),
    )


def _mode(index: int) -> str:
    return "major" if index < 12 else "minor"
