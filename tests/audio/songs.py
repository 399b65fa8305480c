"""Songs made by code, with a key and a tempo that are known because they were put in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE_HZ = 22050
Signal = NDArray[np.float32]

MAJOR = (0, 2, 4, 5, 7, 9, 11)
MINOR = (0, 2, 3, 5, 7, 8, 10)

#: (degree of the root, quality) of each bar. No two keys share one loop: that song would have both keys.
PROGRESSIONS = {
    "major": (
        ((0, "maj"), (7, "maj"), (9, "min"), (5, "maj")),
        ((0, "maj"), (5, "maj"), (7, "maj"), (0, "maj")),
        ((0, "maj"), (9, "min"), (5, "maj"), (7, "maj")),
        ((2, "min"), (7, "maj"), (0, "maj"), (0, "maj")),
    ),
    "minor": (
        ((0, "min"), (8, "maj"), (5, "min"), (7, "maj")),
        ((0, "min"), (5, "min"), (7, "maj"), (0, "min")),
        ((0, "min"), (10, "maj"), (8, "maj"), (7, "maj")),
        ((0, "min"), (5, "min"), (10, "maj"), (0, "min")),
    ),
}
TRIADS = {"maj": (0, 4, 7), "min": (0, 3, 7)}

#: Frequency ratio and amplitude of each partial.
TIMBRES = {
    "sine": ((1, 1.0),),
    "organ": ((1, 1.0), (2, 0.6), (3, 0.4), (4, 0.25), (6, 0.15)),
    "saw": tuple((k, 1 / k) for k in range(1, 13)),
    "square": tuple((k, 1 / k) for k in range(1, 14, 2)),
    "bright": tuple((k, 1 / k**0.5) for k in range(1, 9)),
    "bell": ((1, 1.0), (2.0, 0.5), (2.76, 0.25), (5.4, 0.12)),
}

#: Sixteenths of a bar at which kick, snare and hat sound.
DRUMS = {
    "backbeat": ((0, 8, 10), (4, 12), tuple(range(0, 16, 2))),
    "four on the floor": ((0, 4, 8, 12), (4, 12), (2, 6, 10, 14)),
    "sixteenths": ((0, 7, 10), (4, 12), tuple(range(16))),
    "half time": ((0, 3), (8,), tuple(range(0, 16, 2))),
    "quarters": ((0, 8), (4, 12), (0, 4, 8, 12)),
    "breakbeat": ((0, 2, 10, 11), (4, 7, 9, 12, 15), tuple(range(0, 16, 2))),
}


@dataclass(frozen=True)
class Song:
    """What to play; `seconds` is rounded up to whole bars of four beats."""

    tonic: int = 0
    mode: str = "major"
    bpm: float = 120.0
    seconds: float = 20.0
    timbre: str = "saw"
    drums: str | None = "backbeat"
    drum_level: float = 1.0
    detune_cents: float = 0.0
    progression: int = 0
    chords: bool = True
    seed: int = 0

    @property
    def key(self) -> str:
        return f"{('C', 'C#', 'D', 'D#', 'E', 'F', 'F#', 'G', 'G#', 'A', 'A#', 'B')[self.tonic]} {self.mode}"


def play(song: Song) -> Signal:
    """The song as mono samples at `SAMPLE_RATE_HZ`, shape=(samples,), peak 0.7."""
    beat = 60.0 / song.bpm
    bars = int(np.ceil(song.seconds / (4 * beat)))
    y = np.zeros(int(bars * 4 * beat * SAMPLE_RATE_HZ) + SAMPLE_RATE_HZ, np.float32)
    rng = np.random.default_rng(song.seed)
    if song.chords:
        _play_chords(y, song, bars, beat, rng)
    if song.drums is not None:
        _play_drums(y, song, bars, beat, rng)
    y = y[: int(bars * 4 * beat * SAMPLE_RATE_HZ)]
    return (0.7 * y / np.abs(y).max()).astype(np.float32)


def _play_chords(y: Signal, song: Song, bars: int, beat: float, rng: np.random.Generator) -> None:
    scale = MAJOR if song.mode == "major" else MINOR
    progression = PROGRESSIONS[song.mode][song.progression]
    step = 7
    for bar in range(bars):
        root, quality = progression[bar % 4]
        start = bar * 4 * beat
        for semitone in TRIADS[quality]:
            # Around middle C, whatever the key.
            pitch = 55 + (song.tonic + root + semitone - 55) % 12
            _add(y, start, _note(pitch, 3.9 * beat, song, 0.25))
        for quarter in range(4):
            _add(y, start + quarter * beat, _note(36 + (song.tonic + root) % 12, 0.8 * beat, song, 0.5))
        for eighth in range(8):
            if rng.random() < 0.3:
                continue
            step = int(np.clip(step + rng.integers(-2, 3), 0, 13))
            # Melodies come home: without this, a loop of four chords has no key that ears could agree on.
            if bar % 4 == 3 and eighth >= 6:
                step = 7
            elif eighth in (0, 4) and rng.random() < 0.6:
                step = min((0, 2, 4, 7, 9, 11), key=lambda home: abs(home - step))
            pitch = 60 + song.tonic + scale[step % 7] + 12 * (step // 7)
            _add(y, start + eighth * beat / 2, _note(pitch, 0.45 * beat, song, 0.3))


def _note(pitch: float, seconds: float, song: Song, level: float) -> Signal:
    frequency = 440.0 * 2 ** ((pitch - 69) / 12 + song.detune_cents / 1200)
    t = np.arange(int(seconds * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    partials = [(ratio, gain) for ratio, gain in TIMBRES[song.timbre] if ratio * frequency < 10_000]
    tone = sum(gain * np.sin(2 * np.pi * ratio * frequency * t) for ratio, gain in partials)
    envelope = np.minimum(1.0, t / 0.01) * np.exp(-1.5 * t) * np.minimum(1.0, (seconds - t) / 0.02)
    return (level * tone * envelope).astype(np.float32)


def _play_drums(y: Signal, song: Song, bars: int, beat: float, rng: np.random.Generator) -> None:
    sounds = (_kick(), _snare(rng), _hat(rng))
    for bar in range(bars):
        for sound, steps in zip(sounds, DRUMS[str(song.drums)], strict=True):
            for step in steps:
                _add(y, (bar * 4 + step / 4) * beat, song.drum_level * sound)


def _kick() -> Signal:
    t = np.arange(int(0.2 * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    return (1.2 * np.sin(2 * np.pi * (50 * t + 4 * (1 - np.exp(-20 * t)))) * np.exp(-15 * t)).astype(
        np.float32
    )


def _snare(rng: np.random.Generator) -> Signal:
    t = np.arange(int(0.15 * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    noise = rng.standard_normal(len(t))
    return ((0.4 * noise + 0.4 * np.sin(2 * np.pi * 185 * t)) * np.exp(-25 * t)).astype(np.float32)


def _hat(rng: np.random.Generator) -> Signal:
    t = np.arange(int(0.06 * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    noise = np.diff(rng.standard_normal(len(t) + 2), 2)
    return (0.12 * noise * np.exp(-70 * t)).astype(np.float32)


def _add(y: Signal, at_seconds: float, sound: Signal) -> None:
    start = round(at_seconds * SAMPLE_RATE_HZ)
    end = min(start + len(sound), len(y))
    y[start:end] += sound[: end - start]
