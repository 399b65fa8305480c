"""Measuring: signal-to-distortion ratio, and the simple filters that a model has to beat.

SDR here is the plain energy ratio of the whole song, 10 · log10(Σ truth² / Σ (truth − estimate)²), over both
channels and all samples (the "new SDR" of the Music Demixing Challenge 2021; no chunks, no scaling or
filtering allowed as in BSSEval). A stem that is silent in a song is left out of the mean for that song.
"""

from __future__ import annotations

import librosa
import numpy as np
from scipy import signal

from training.effects import RATE, Audio
from training.mixing import STEMS


def sdr(truth: Audio, estimate: Audio) -> float | None:
    """SDR in dB of one stem (2, samples), or None for a silent one."""
    energy = float(np.sum(truth.astype(np.float64) ** 2))
    if energy < 1e-4:
        return None
    wrong = float(np.sum((truth.astype(np.float64) - estimate) ** 2))
    return float(10 * np.log10(energy / (wrong + 1e-12)))


def residual_db(stems: Audio, mixture: Audio) -> float:
    """The null residual in dB: mixture minus the sum of stems, against the mixture; lower is better."""
    missing = np.sum((mixture.astype(np.float64) - stems.sum(0)) ** 2)
    return float(10 * np.log10((missing + 1e-12) / (np.sum(mixture.astype(np.float64) ** 2) + 1e-12)))


def best_gain(truth: Audio, estimate: Audio) -> Audio:
    """The estimate with the one gain that suits it best (an oracle: it knows the truth)."""
    return estimate * (float(np.vdot(truth, estimate)) / (float(np.vdot(estimate, estimate)) + 1e-12))


def filters(mixture: Audio) -> dict[str, Audio]:
    """What simple filters make of a mixture (2, samples): low-pass, and harmonic-percussive separation."""
    low = signal.sosfiltfilt(signal.butter(4, 200, fs=RATE, output="sos"), mixture).astype(np.float32)
    spectra = np.stack([librosa.stft(channel) for channel in mixture])
    harmonic, percussive = librosa.decompose.hpss(spectra)
    back = [
        np.stack([librosa.istft(s, length=mixture.shape[1]) for s in part]) for part in (harmonic, percussive)
    ]
    high = signal.sosfiltfilt(signal.butter(4, 200, "high", fs=RATE, output="sos"), back[0]).astype(
        np.float32
    )
    return {"drums": back[1], "bass": low, "other": high, "vocals": high}


def baselines(stems: Audio) -> dict[str, dict[str, float | None]]:
    """SDR of the scaled mixture and of the filters, each with its best gain, for true stems (4, 2, n)."""
    mixture = stems.sum(0)
    filtered = filters(mixture)
    return {
        "mixture": {name: sdr(t, best_gain(t, mixture)) for name, t in zip(STEMS, stems, strict=True)},
        "filters": {name: sdr(t, best_gain(t, filtered[name])) for name, t in zip(STEMS, stems, strict=True)},
    }


def mean_of(songs: list[dict[str, float | None]]) -> dict[str, float]:
    """The mean per stem over the songs where it sounds, and the mean of these."""
    means = {}
    for name in STEMS:
        known = [value for song in songs if (value := song[name]) is not None]
        means[name] = round(float(np.mean(known)), 2) if known else float("nan")
    return {**means, "mean": round(float(np.mean([means[name] for name in STEMS])), 2)}
