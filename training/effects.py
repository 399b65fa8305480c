"""Studio effects on float32 stereo arrays of shape (2, samples), at 44 100 Hz."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import signal

RATE = 44100
Audio = NDArray[np.float32]


def equalise(audio: Audio, frequency_hz: float, gain_db: float, kind: str, q: float = 0.7) -> Audio:
    """One biquad (low shelf, high shelf or peak) after the Audio EQ Cookbook of R. Bristow-Johnson."""
    a, w = 10 ** (gain_db / 40), 2 * np.pi * min(frequency_hz, 0.45 * RATE) / RATE
    cos, alpha = np.cos(w), np.sin(w) / (2 * q)
    if kind == "peak":
        b = [1 + alpha * a, -2 * cos, 1 - alpha * a]
        d = [1 + alpha / a, -2 * cos, 1 - alpha / a]
    else:
        sign, root = (1 if kind == "low" else -1), 2 * np.sqrt(a) * alpha
        b = [
            a * (a + 1 - sign * (a - 1) * cos + root),
            sign * 2 * a * (a - 1 - sign * (a + 1) * cos),
            a * (a + 1 - sign * (a - 1) * cos - root),
        ]
        d = [
            a + 1 + sign * (a - 1) * cos + root,
            -sign * 2 * (a - 1 + sign * (a + 1) * cos),
            a + 1 + sign * (a - 1) * cos - root,
        ]
    return signal.lfilter(np.array(b) / d[0], np.array(d) / d[0], audio).astype(np.float32)


def band(audio: Audio, low_hz: float, high_hz: float, order: int = 2) -> Audio:
    """Keep a band; 0 or a frequency near Nyquist leaves that side open."""
    if low_hz > 0:
        audio = signal.sosfilt(signal.butter(order, low_hz, "high", fs=RATE, output="sos"), audio)
    if high_hz < 0.45 * RATE:
        audio = signal.sosfilt(signal.butter(order, high_hz, "low", fs=RATE, output="sos"), audio)
    return np.asarray(audio, np.float32)


def random_equaliser(rng: np.random.Generator, audio: Audio, strength_db: float) -> Audio:
    """Both shelves and a peak, each up to the strength up or down."""
    audio = equalise(audio, rng.uniform(80, 300), rng.uniform(-strength_db, strength_db), "low")
    audio = equalise(audio, rng.uniform(3000, 9000), rng.uniform(-strength_db, strength_db), "high")
    return equalise(
        audio,
        np.exp(rng.uniform(np.log(250), np.log(5000))),
        rng.uniform(-strength_db, strength_db),
        "peak",
        1.0,
    )


def room(rng: np.random.Generator, audio: Audio, seconds: float, wet: float) -> Audio:
    """Reverberation: pre-delay, early reflections and a tail of stereo noise that darkens as it decays."""
    n = int(seconds * RATE)
    t = np.arange(n) / RATE
    tail = rng.standard_normal((2, n)) * 10 ** (-3 * t / seconds)
    dark = signal.sosfilt(signal.butter(1, rng.uniform(1500, 5000), fs=RATE, output="sos"), tail)
    blend = np.clip(t / (0.4 * seconds), 0, 1)
    tail = tail * (1 - blend) + 1.5 * dark * blend
    tail[:, : int(rng.uniform(0.001, 0.04) * RATE)] = 0
    for delay in rng.uniform(0.004, min(0.06, seconds), size=8):
        tail[rng.integers(2), min(n - 1, int(delay * RATE))] += rng.uniform(-8, 8)
    tail /= np.sqrt((tail**2).sum() / 2) + 1e-9
    reverberated = signal.fftconvolve(audio, tail, axes=1)[:, : audio.shape[1]]
    return (audio * (1 - 0.4 * wet) + wet * reverberated).astype(np.float32)


def echo(audio: Audio, delay_seconds: float, feedback: float, wet: float) -> Audio:
    """A ping-pong delay of a few repeats."""
    out, tap, step = audio.copy(), audio, int(delay_seconds * RATE)
    for _ in range(4):
        tap = np.pad(tap[::-1], ((0, 0), (step, 0)))[:, : audio.shape[1]] * feedback
        out += wet * tap
    return out.astype(np.float32)


def chorus(rng: np.random.Generator, audio: Audio, depth_seconds: float = 0.003) -> Audio:
    """Two slowly modulated copies, one a side."""
    n = audio.shape[1]
    t = np.arange(n)
    out = audio.copy()
    for side in range(2):
        delay = (
            0.012 + depth_seconds * np.sin(2 * np.pi * rng.uniform(0.2, 1.2) * t / RATE + rng.uniform(0, 6))
        ) * RATE
        out[side] += 0.7 * np.interp(t - delay, t, audio[side]).astype(np.float32)
    return out * 0.75


def distort(audio: Audio, drive: float) -> Audio:
    """Soft, slightly asymmetric clipping, level kept."""
    level = np.sqrt(np.mean(audio**2)) + 1e-6
    driven = audio / level * drive
    shaped = np.tanh(driven + 0.15) - np.tanh(0.15)
    return (shaped * level / (np.sqrt(np.mean(shaped**2)) + 1e-6)).astype(np.float32)


def amplifier(rng: np.random.Generator, audio: Audio, drive: float) -> Audio:
    """A guitar amplifier: cut lows, distort, loudspeaker cabinet."""
    audio = distort(band(audio, 120, RATE, 1), drive)
    audio = band(audio, 75, rng.uniform(3500, 6000), 2)
    return equalise(audio, rng.uniform(1800, 3000), rng.uniform(2, 6), "peak", 0.9)


def gain_curve(
    audio: Audio, threshold_db: float, ratio: float, release_seconds: float
) -> NDArray[np.float32]:
    """A compressor's gain over time (samples,), from peaks held in blocks of 64 samples."""
    n = audio.shape[1]
    blocks = -(-n // 64)
    peaks = np.abs(np.pad(audio, ((0, 0), (0, blocks * 64 - n)))).max(0).reshape(blocks, 64).max(1)
    decay = np.exp(-64 / (release_seconds * RATE))
    level = signal.lfilter([1 - decay], [1, -decay], peaks)
    level = np.maximum(level, 0.35 * peaks)
    over = np.maximum(0, 20 * np.log10(level + 1e-6) - threshold_db)
    gain = 10 ** (-over * (1 - 1 / ratio) / 20)
    return np.interp(np.arange(n), np.arange(blocks) * 64 + 32, gain).astype(np.float32)


def pan(audio: Audio, position: float) -> Audio:
    """Equal-power balance; position −1 (left) … 1 (right)."""
    angle = (position + 1) * np.pi / 4
    return audio * (np.sqrt(2) * np.array([[np.cos(angle)], [np.sin(angle)]], np.float32))


def width(audio: Audio, amount: float) -> Audio:
    """Scale the side signal: 0 mono, 1 unchanged."""
    middle, side = audio.mean(0, keepdims=True), (audio[:1] - audio[1:]) / 2 * amount
    return np.concatenate([middle + side, middle - side]).astype(np.float32)


def rms(audio: Audio) -> float:
    """Root mean square over the parts that sound (louder than −40 dB below the peak)."""
    envelope = np.abs(audio).max(0)
    active = envelope > 0.01 * (envelope.max() + 1e-9)
    return float(np.sqrt(np.mean(audio[:, active] ** 2))) if active.any() else 0.0
