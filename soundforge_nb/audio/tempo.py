"""Tempo and beats from the onset strength.

The tempo is the one whose beat period, and whose multiples, the onset strength repeats at, and that its
spectrum shows too; the product of both cancels their opposite octave errors (Peeters, "Template-based
estimation of time-varying tempo", EURASIP 2007). A log-normal prior decides among octaves that are left
(Ellis, "Beat tracking by dynamic programming", JNMR 36, 2007; it is librosa's prior too). Both are taken from
the low bands, where kick drum, snare and bass keep the beat: with the hi-hat's eighths in, one song in three
comes out at double tempo (librosa#1262). tests/audio/tempo_survey.py measures it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import librosa
import numpy as np
from numpy.typing import NDArray

from soundforge_nb.audio.beats import track_beats
from soundforge_nb.audio.spectra import FRAMES_PER_SECOND, HOP_LENGTH, SAMPLE_RATE_HZ

SLOWEST_BPM = 40.0
FASTEST_BPM = 240.0
#: The first bands of the mel spectrum, up to 0.7 kHz.
LOW_BANDS = 24
PRIOR_BPM = 108.0
PRIOR_OCTAVES = 0.9
#: Fewer beats than this are no tempo.
LEAST_BEATS = 4
#: The onset strength peaks this long after a sound begins, in songs of all tempos and sorts alike:
#: window and difference reach that far.
ONSET_DELAY_SECONDS = 0.031
_WINDOW_FRAMES = round(12 * FRAMES_PER_SECOND)
_STEPS_PER_OCTAVE = 120
_COMB = 4


@dataclass(frozen=True)
class Tempo:
    """Tempo in beats a minute and its beats in seconds.

    `confidence`, 0 … 1, is the pulse clarity (Lartillot et al., "Multi-feature modeling of pulse clarity",
    ISMIR 2008): how much of the onset strength repeats after one, two or four beats; 1 is a metronome.
    """

    bpm: float
    beats_seconds: NDArray[np.float64]
    confidence: float

    def as_json(self) -> dict[str, Any]:
        return {
            "bpm": self.bpm,
            "beats_seconds": [round(float(beat), 4) for beat in self.beats_seconds],
            "confidence": self.confidence,
        }


def onset_strength(mel_db: NDArray[np.float32]) -> NDArray[np.float32]:
    """Onset strength, shape=(frames,), from a mel spectrum in dB (spectral flux, as librosa has it)."""
    strength: NDArray[np.float32] = librosa.onset.onset_strength(
        S=mel_db, sr=SAMPLE_RATE_HZ, hop_length=HOP_LENGTH
    ).astype(np.float32)
    return strength


def find_tempo(mel_db: NDArray[np.float32]) -> Tempo | None:
    """Tempo and beats of a song; None without a pulse or with fewer than four beats.

    Parameters
    ----------
    mel_db : ndarray, shape=(bands, frames)
        Mel spectrum in dB, at `FRAMES_PER_SECOND`.
    """
    strength, low = onset_strength(mel_db), onset_strength(mel_db[:LOW_BANDS])
    if len(strength) < 2 * FRAMES_PER_SECOND or not strength.max() > 0:
        return None
    if not low.max() > 0:
        low = strength
    likeness = self_likeness(low)
    bpm, scores = tempo_scores(low, likeness)
    guess = float(bpm[int(np.argmax(scores))])
    period = 60.0 / guess * FRAMES_PER_SECOND
    clarity = float(np.clip(_at(likeness, period * np.array([1, 2, 4])).max(), 0.0, 1.0))
    if clarity < least_clarity(len(strength) / FRAMES_PER_SECOND):
        return None
    beats = track_beats(strength, period)
    if len(beats) < LEAST_BEATS:
        return None
    times = np.maximum(beats / FRAMES_PER_SECOND - ONSET_DELAY_SECONDS, 0.0)
    return Tempo(bpm=_steady_bpm(times, guess), beats_seconds=times, confidence=clarity)


def least_clarity(duration_seconds: float) -> float:
    """Below this there is no pulse: noise reaches 0.25 in 3 seconds, 0.14 in 10 and 0.07 in 60; songs 0.6."""
    return 0.1 + 0.6 / duration_seconds


def self_likeness(strength: NDArray[np.float32]) -> NDArray[np.float64]:
    """Normalised autocorrelation of the onset strength by lag in frames, mean over windows of 12 s."""
    window = min(_WINDOW_FRAMES, len(strength))
    step = max(1, window // 2)
    total = np.zeros(window)
    weight = 0.0
    for start in range(0, len(strength) - window + 1, step):
        piece = strength[start : start + window].astype(np.float64)
        piece -= piece.mean()
        energy = float(piece @ piece)
        if energy > 0:
            total += librosa.autocorrelate(piece)
            weight += energy
    # Fewer pairs at long lags: without this, slow tempos would seem unlikely.
    pairs = 1.0 - np.arange(window) / window
    result: NDArray[np.float64] = total / max(weight, 1e-12) / np.maximum(pairs, 0.25)
    return result


def tempo_scores(
    strength: NDArray[np.float32], likeness: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Tempos from `SLOWEST_BPM` to `FASTEST_BPM`, evenly spaced in octaves, and how likely each is."""
    octaves = np.log2(FASTEST_BPM / SLOWEST_BPM)
    bpm = SLOWEST_BPM * 2.0 ** np.linspace(0, octaves, round(octaves * _STEPS_PER_OCTAVE) + 1)
    lags = 60.0 / bpm * FRAMES_PER_SECOND
    comb = np.mean([_at(likeness, lags * multiple) for multiple in range(1, _COMB + 1)], axis=0)
    prior = np.exp(-0.5 * (np.log2(bpm / PRIOR_BPM) / PRIOR_OCTAVES) ** 2)
    return bpm, np.maximum(comb, 0.0) * np.sqrt(_spectrum(strength, bpm)) * prior


def _spectrum(strength: NDArray[np.float32], bpm: NDArray[np.float64]) -> NDArray[np.float64]:
    window = min(_WINDOW_FRAMES, len(strength))
    taper = np.hanning(window)
    turn = np.exp(-2j * np.pi * np.outer(bpm / 60.0 / FRAMES_PER_SECOND, np.arange(window)))
    total = np.zeros(len(bpm))
    for start in range(0, len(strength) - window + 1, max(1, window // 2)):
        piece = strength[start : start + window].astype(np.float64)
        total += np.abs(turn @ ((piece - piece.mean()) * taper)) ** 2
    result: NDArray[np.float64] = np.sqrt(total / max(total.max(), 1e-12))
    return result


def _at(curve: NDArray[np.float64], index: Any) -> NDArray[np.float64]:
    values: NDArray[np.float64] = np.interp(index, np.arange(len(curve)), curve, right=0.0)
    return values


def _steady_bpm(times: NDArray[np.float64], guess: float) -> float:
    """The beats' own tempo: finer than a frame where they are steady."""
    gaps = np.diff(times)
    steady = gaps[np.abs(gaps * guess / 60.0 - 1.0) < 0.15]
    if len(steady) < LEAST_BEATS - 1:
        return guess
    return float(60.0 / steady.mean())
