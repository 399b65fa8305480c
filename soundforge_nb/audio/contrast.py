"""Spectral contrast, block by block.

Jiang, Lu, Zhang, Tao and Cai, "Music type classification by spectral contrast feature", ICME 2002, with the
bands and quantile of `librosa.feature.spectral_contrast`. That function limits its decibels to 80 below the
loudest frame it is given, so that a song in blocks would get other numbers than the whole: here peaks and
valleys are kept, and become decibels when all are there.
"""

from __future__ import annotations

import librosa
import numpy as np
from numpy.typing import NDArray

BANDS = 7
LOWEST_HZ = 200.0
QUANTILE = 0.02

Curve = NDArray[np.float32]


def band_bins(frequencies: NDArray[np.floating]) -> list[tuple[slice, int]]:
    """For each octave band its bins, and how many of them are its peaks, and its valleys."""
    edges = LOWEST_HZ * 2.0 ** np.arange(-1, BANDS)
    edges[0] = 0.0
    result = []
    for band in range(BANDS):
        inside = np.flatnonzero((frequencies >= edges[band]) & (frequencies <= edges[band + 1]))
        # A bin more below, as the bands overlap; the last band takes all that is left above.
        start = inside[0] - 1 if band > 0 else inside[0]
        end = inside[-1] + 1 if band < BANDS - 1 else len(frequencies)
        count = max(int(np.rint(QUANTILE * (end - start))), 1)
        last = end - 1 if band < BANDS - 1 else end
        result.append((slice(int(start), int(last)), count))
    return result


def peaks_and_valleys(magnitude: Curve, bands: list[tuple[slice, int]]) -> tuple[Curve, Curve]:
    """Means of the strongest and of the weakest bins of each band, both of shape ``(BANDS, frames)``."""
    peaks = np.empty((BANDS, magnitude.shape[1]), np.float32)
    valleys = np.empty_like(peaks)
    for band, (bins, count) in enumerate(bands):
        ordered = np.sort(magnitude[bins], axis=0)
        valleys[band] = ordered[:count].mean(axis=0)
        peaks[band] = ordered[-count:].mean(axis=0)
    return peaks, valleys


def contrast_db(peaks: Curve, valleys: Curve) -> Curve:
    """Contrast in dB, shape ``(BANDS, frames)``."""
    result: Curve = librosa.power_to_db(peaks) - librosa.power_to_db(valleys)
    return result.astype(np.float32)
