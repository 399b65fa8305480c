"""Instruments made by arithmetic: analogue-style synthesiser, FM, and plucked strings.

A patch is drawn from a seed, so that training and test songs can have patches of different seeds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import signal

from training.effects import RATE, Audio
from training.patterns import Note

KINDS = ("saw", "square", "fm", "pluck", "organ", "sine")


@dataclass(frozen=True)
class Patch:
    """A sound: its oscillator, envelope (seconds) and filter."""

    kind: str
    attack: float
    decay: float
    sustain: float
    release: float
    cutoff: float
    sweep: float
    resonance: float
    detune: float
    unison: int
    ratio: float
    index: float
    vibrato: float


def draw_patch(rng: np.random.Generator, style: str) -> Patch:
    """A random patch that suits a style (bass styles, pad, comp, strum, arpeggio, power, lead, riff)."""
    bass = style in ("roots", "octaves", "walking", "bass")
    weights = {
        "strum": (0.1, 0.1, 0.1, 0.7, 0, 0),
        "pad": (0.5, 0.2, 0.1, 0, 0.2, 0),
        "power": (0.6, 0.2, 0, 0.2, 0, 0),
    }.get(style, (0.35, 0.2, 0.1, 0.15, 0, 0.2) if bass else (0.3, 0.2, 0.2, 0.2, 0.1, 0))
    u = rng.uniform
    slow = style == "pad"
    return Patch(
        kind=str(rng.choice(KINDS, p=weights)),
        attack=u(0.05, 0.5) if slow else u(0.002, 0.02),
        decay=u(0.1, 0.8),
        sustain=u(0.3, 1.0) if slow or bass else u(0.1, 0.9),
        release=u(0.2, 0.8) if slow else u(0.02, 0.2),
        cutoff=float(np.exp(u(np.log(2.0), np.log(30.0)))),
        sweep=u(0, 4),
        resonance=u(0.6, 3),
        detune=u(0.001, 0.012),
        unison=1 if bass and u() < 0.6 else int(rng.integers(1, 6)),
        ratio=float(rng.choice([1, 1, 2, 3, 3.5, 7, 14])),
        index=u(0.5, 4),
        vibrato=u(0, 0.006),
    )


def _envelope(patch: Patch, n_held: int, n: int) -> np.ndarray:
    t = np.arange(n) / RATE
    held = n_held / RATE
    level = np.minimum(1, t / patch.attack) * (
        patch.sustain + (1 - patch.sustain) * np.exp(-np.maximum(0, t - patch.attack) / patch.decay)
    )
    return level * np.exp(-np.maximum(0, t - held) / patch.release * 4)


def _saw(phase: np.ndarray, step: float) -> np.ndarray:
    """A saw with PolyBLEP corners (V. Välimäki, A. Huovilainen 2007), so that it does not alias harshly."""
    x = phase % 1.0
    out = 2 * x - 1
    low, high = x < step, x > 1 - step
    a, b = x[low] / step, (x[high] - 1) / step
    out[low] -= 2 * a - a * a - 1
    out[high] -= b * b + 2 * b + 1
    return out


def _oscillate(rng: np.random.Generator, patch: Patch, hz: float, n: int) -> np.ndarray:
    """The raw tone (2, n)."""
    t = np.arange(n) / RATE
    wobble = patch.vibrato * np.sin(2 * np.pi * 5.3 * t) * np.minimum(1, t / 0.4)
    base = hz * (t + np.cumsum(wobble) / RATE)
    if patch.kind == "fm":
        fade = np.exp(-t / (patch.decay + 0.1))
        tone = np.sin(2 * np.pi * base + patch.index * fade * np.sin(2 * np.pi * base * patch.ratio))
        return np.stack([tone, tone])
    if patch.kind == "organ":
        tone = sum(
            a * np.sin(2 * np.pi * base * k)
            for k, a in ((0.5, 0.5), (1, 1), (2, 0.7), (3, 0.4), (4, 0.3), (6, 0.15))
            if hz * k < 15000
        )
        return np.stack([tone, tone]) / 2
    if patch.kind == "sine":
        tone = np.tanh(patch.index * np.sin(2 * np.pi * base))
        return np.stack([tone, tone])
    out = np.zeros((2, n))
    for voice in range(patch.unison):
        spread = 0.0 if patch.unison == 1 else 2 * voice / (patch.unison - 1) - 1
        factor = 1 + patch.detune * spread
        phase, step = base * factor + rng.random(), hz * factor / RATE
        tone = _saw(phase, step) if patch.kind == "saw" else _saw(phase, step) - _saw(phase + 0.5, step)
        out[0] += tone * (1 - 0.5 * spread)
        out[1] += tone * (1 + 0.5 * spread)
    return out / np.sqrt(patch.unison)


def _pluck(rng: np.random.Generator, hz: float, n: int, brightness: float) -> np.ndarray:
    """A plucked string (K. Karplus, A. Strong 1983) as one comb filter with a damped loop."""
    period = max(4, round(RATE / hz - 0.5))
    burst = np.zeros(n)
    noise = rng.uniform(-1, 1, period)
    burst[:period] = signal.lfilter([brightness], [1, brightness - 1], noise)[: min(period, n)]
    position = max(1, period // int(rng.integers(4, 9)))
    burst[position:] -= 0.7 * burst[:-position]
    loop = np.zeros(period + 2)
    loop[0] = 1
    damping = 0.5 ** (1 / max(1.0, hz * rng.uniform(0.35, 0.9)))
    loop[period], loop[period + 1] = -0.5 * damping, -0.5 * damping
    tone = signal.lfilter([1.0], loop, burst)
    return np.stack([tone, tone])


def _note(rng: np.random.Generator, patch: Patch, note: Note) -> np.ndarray:
    hz = 440.0 * 2 ** ((note.pitch - 69) / 12)
    held = int(note.duration * RATE)
    n = held + int((0.6 if patch.kind == "pluck" else patch.release * 1.5) * RATE)
    if patch.kind == "pluck":
        fade = np.exp(-np.maximum(0, np.arange(n) - held) / RATE / 0.08)
        return _pluck(rng, hz, n, 0.25 + 0.7 * note.velocity / 127) * fade
    tone = _oscillate(rng, patch, hz, n) * _envelope(patch, held, n)
    if patch.kind in ("saw", "square"):
        # A swept filter as a fade between two fixed ones: bright at first, then dark.
        dark = min(hz * patch.cutoff * (0.5 + note.velocity / 127), 18000.0)
        bright = min(dark * 2**patch.sweep, 18000.0)
        blend = np.exp(-np.arange(n) / RATE / patch.decay)
        tone = _lowpass(tone, bright, patch.resonance) * blend + _lowpass(tone, dark, patch.resonance) * (
            1 - blend
        )
    return tone


def _lowpass(tone: np.ndarray, hz: float, q: float) -> np.ndarray:
    w = 2 * np.pi * hz / RATE
    alpha, cos = np.sin(w) / (2 * q), np.cos(w)
    b = np.array([(1 - cos) / 2, 1 - cos, (1 - cos) / 2]) / (1 + alpha)
    return np.asarray(signal.lfilter(b, [1, -2 * cos / (1 + alpha), (1 - alpha) / (1 + alpha)], tone))


def play(rng: np.random.Generator, notes: list[Note], patch: Patch, seconds: float) -> Audio:
    """Play notes with a patch: float32 (2, samples)."""
    out = np.zeros((2, int(seconds * RATE)))
    for note in notes:
        start = int(note.start * RATE)
        if start >= out.shape[1]:
            continue
        tone = _note(rng, patch, note)[:, : out.shape[1] - start]
        out[:, start : start + tone.shape[1]] += tone * (note.velocity / 127) ** 1.3 * 0.3
    return out.astype(np.float32)
