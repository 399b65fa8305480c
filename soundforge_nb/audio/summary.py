"""Features of a song as plain numbers, from its frames."""

from __future__ import annotations

from typing import Any

import librosa
import numpy as np
from numpy.typing import NDArray

from soundforge_nb.audio.spectra import MFCC_COUNT, Curve, Spectra

#: A frame below this level (-100 dB) is silent: its spectrum has no shape to average.
SILENT_RMS = 1e-5


def number(value: float | np.floating[Any]) -> float | None:
    """A finite number for JSON, else None."""
    return float(value) if np.isfinite(value) else None


def numbers(values: NDArray[Any]) -> list[float | None]:
    return [number(value) for value in values]


def statistics(values: Curve) -> dict[str, float | None]:
    """Mean and standard deviation over time; None where nothing sounds."""
    if values.size == 0:
        return {"mean": None, "std": None}
    wide = values.astype(np.float64)
    return {"mean": number(wide.mean()), "std": number(wide.std())}


def energy_summary(spectra: Spectra) -> dict[str, Any]:
    """Level: linear, full scale 1; and the share of samples at which the sign changes."""
    rms = spectra.rms.astype(np.float64)
    return {
        "rms_mean": number(rms.mean()),
        "rms_std": number(rms.std()),
        "rms_max": number(rms.max()),
        # From the quiet 5 % to the loud 5 %: what compression leaves of a song's dynamics.
        "dynamic_range_db": dynamic_range_db(rms),
        "zero_crossing_rate": number(spectra.crossings.astype(np.float64).mean()),
    }


def dynamic_range_db(rms: NDArray[np.float64]) -> float | None:
    sounding = rms[rms > SILENT_RMS]
    if sounding.size == 0:
        return None
    quiet, loud = np.percentile(sounding, [5, 95])
    return number(20 * np.log10(loud / quiet))


def spectral_summary(spectra: Spectra) -> dict[str, Any]:
    """Spectral shape over the frames that sound: Hz, flatness 0 … 1, contrast in dB per octave band."""
    sounding = spectra.rms > SILENT_RMS
    contrast = spectra.contrast[:, sounding].astype(np.float64)
    empty: list[float | None] = [None] * len(spectra.contrast)
    return {
        "centroid": statistics(spectra.centroid[sounding]),
        "rolloff": statistics(spectra.rolloff[sounding]),
        "bandwidth": statistics(spectra.bandwidth[sounding]),
        "flatness": statistics(spectra.flatness[sounding]),
        "contrast": {
            "mean": numbers(contrast.mean(axis=1)) if contrast.size else empty,
            "std": numbers(contrast.std(axis=1)) if contrast.size else empty,
        },
    }


def mfcc_summary(mel_db: Curve) -> dict[str, Any]:
    """Mean and standard deviation of the first 13 MFCCs, as librosa has them."""
    mfcc = librosa.feature.mfcc(S=mel_db, n_mfcc=MFCC_COUNT).astype(np.float64)
    return {"mean": numbers(mfcc.mean(axis=1)), "std": numbers(mfcc.std(axis=1))}
