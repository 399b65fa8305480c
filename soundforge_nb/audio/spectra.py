"""Everything that comes from the frames of one short-time Fourier transform, block by block.

Per frame: level, zero crossings, the spectral shape, and the mel spectrum, from which the MFCCs and the onset
strength follow when all frames are there (their 80 dB range is relative to the loudest of them).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import librosa
import numpy as np
from numpy.typing import NDArray

from soundforge_nb.audio.contrast import band_bins, contrast_db, peaks_and_valleys
from soundforge_nb.audio.framing import FrameBuffer, Signal, real_samples

SAMPLE_RATE_HZ = 22050
FRAME_LENGTH = 2048
HOP_LENGTH = 512
FRAMES_PER_SECOND = SAMPLE_RATE_HZ / HOP_LENGTH
MEL_BANDS = 128
MFCC_COUNT = 13

Curve = NDArray[np.float32]

_SHAPES = ("centroid", "rolloff", "bandwidth", "flatness")


@dataclass(frozen=True)
class Spectra:
    """One value, or one column, a frame.

    Attributes
    ----------
    rms : ndarray, shape=(frames,)
        Root mean square of the samples in the frame; padding does not count.
    crossings : ndarray, shape=(frames,)
        Share of the samples at which the sign changes.
    centroid, rolloff, bandwidth : ndarray, shape=(frames,)
        Hz.
    flatness : ndarray, shape=(frames,)
        0 a pure tone … 1 white noise.
    contrast : ndarray, shape=(7, frames)
        dB between peaks and valleys, in octave bands.
    mel : ndarray, shape=(MEL_BANDS, frames)
        Power.
    """

    rms: Curve
    crossings: Curve
    centroid: Curve
    rolloff: Curve
    bandwidth: Curve
    flatness: Curve
    contrast: Curve
    mel: Curve

    @property
    def frames(self) -> int:
        return len(self.rms)

    def mel_db(self) -> Curve:
        """The mel spectrum in dB, 80 dB deep, shape=(MEL_BANDS, frames)."""
        result: Curve = librosa.power_to_db(self.mel)
        return result


@dataclass
class SpectraBuilder:
    """Takes the signal in blocks; `finish` gives the frames of the whole.

    Parameters
    ----------
    shape : bool
        Whether centroid, rolloff, bandwidth, flatness and contrast are wanted; else they are empty.
    """

    shape: bool = True
    _buffer: FrameBuffer = field(default_factory=lambda: FrameBuffer(FRAME_LENGTH, HOP_LENGTH))
    _parts: dict[str, list[Curve]] = field(default_factory=dict)
    _length: int = 0

    def __post_init__(self) -> None:
        self._mel_basis = librosa.filters.mel(sr=SAMPLE_RATE_HZ, n_fft=FRAME_LENGTH, n_mels=MEL_BANDS)
        self._frequencies = librosa.fft_frequencies(sr=SAMPLE_RATE_HZ, n_fft=FRAME_LENGTH)
        self._bands = band_bins(self._frequencies)

    def push(self, y: Signal) -> None:
        """Add samples of shape ``(samples,)`` at `SAMPLE_RATE_HZ`."""
        self._length += len(y)
        self._measure(self._buffer.push(y))

    def finish(self) -> Spectra:
        self._measure(self._buffer.finish())
        joined = {name: np.concatenate(parts, axis=-1) for name, parts in self._parts.items()}
        real = np.maximum(real_samples(joined["energy"].shape[-1], FRAME_LENGTH, HOP_LENGTH, self._length), 1)
        nothing = np.zeros(0, np.float32)
        shapes = {name: joined.get(name, nothing) for name in _SHAPES}
        shapes["contrast"] = contrast_db(joined["peaks"], joined["valleys"]) if self.shape else nothing
        return Spectra(
            rms=np.sqrt(joined["energy"] / real).astype(np.float32),
            crossings=(joined["crossings"] / real).astype(np.float32),
            mel=joined["mel"],
            **shapes,
        )

    def _measure(self, y: Signal) -> None:
        if len(y) == 0:
            return
        framed = librosa.util.frame(y, frame_length=FRAME_LENGTH, hop_length=HOP_LENGTH)
        self._keep("energy", np.einsum("st,st->t", framed, framed))
        # Padding is zero, and zero counts as positive, as librosa has it.
        negative = np.signbit(framed + 0.0)
        self._keep("crossings", np.count_nonzero(negative[1:] != negative[:-1], axis=0))
        magnitude = np.abs(librosa.stft(y, n_fft=FRAME_LENGTH, hop_length=HOP_LENGTH, center=False))
        power = magnitude**2
        self._keep("mel", self._mel_basis @ power)
        if self.shape:
            self._measure_shape(magnitude, power)

    def _measure_shape(self, magnitude: Curve, power: Curve) -> None:
        common: dict[str, Any] = {"S": magnitude, "freq": self._frequencies}
        centroid = librosa.feature.spectral_centroid(**common)
        self._keep("centroid", centroid[0])
        self._keep("rolloff", librosa.feature.spectral_rolloff(**common)[0])
        self._keep("bandwidth", librosa.feature.spectral_bandwidth(**common, centroid=centroid)[0])
        self._keep("flatness", librosa.feature.spectral_flatness(S=power, power=1.0)[0])
        peaks, valleys = peaks_and_valleys(magnitude, self._bands)
        self._keep("peaks", peaks)
        self._keep("valleys", valleys)

    def _keep(self, name: str, values: NDArray[np.generic]) -> None:
        self._parts.setdefault(name, []).append(values.astype(np.float32))
