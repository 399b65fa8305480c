"""Composing: a seed becomes a song as lists of notes, without a sound yet.

A song is 4/4, in one key, over a chord progression, with an A and a B section, and has up to four kinds of
parts: drums, bass, other (one to four layers) and vocals (one to three voices). Timing is humanised and
velocities follow accents, because what limits a separation model trained on made songs is their realism.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from training import patterns
from training.patterns import Chord, Note

SCALES = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "minor": (0, 2, 3, 5, 7, 8, 10),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
}
PROGRESSIONS = (
    (0, 4, 5, 3), (0, 5, 3, 4), (5, 3, 0, 4), (0, 3, 4, 3), (0, 3, 0, 4), (1, 4, 0, 5), (0, 6, 3, 0),
    (0, 2, 3, 4), (0, 5, 1, 4), (3, 0, 4, 5), (0, 0, 3, 4), (5, 4, 3, 4), (0, 4, 1, 3), (0, 6, 5, 4),
    (0, 0, 0, 0), (0, 0, 3, 3), (5, 1, 4, 0), (0, 2, 5, 3),
)  # fmt: skip


@dataclass(frozen=True)
class Layer:
    """One instrument's part: its notes, and the style that says which instruments suit it."""

    style: str
    notes: list[Note]


@dataclass(frozen=True)
class Song:
    """A composition. Times in seconds, pitches as MIDI numbers, velocities 1…127."""

    seed: int
    tempo: float
    seconds: float
    genre: str
    drums: list[Note]
    bass: Layer | None
    other: list[Layer]
    vocals: list[list[Note]] = field(default_factory=list)


def _chords(rng: np.random.Generator, bars: int) -> list[Chord]:
    """One chord a bar (now and then two), in a random key: `bars` or more chords with their beats."""
    key, scale = int(rng.integers(12)), SCALES[str(rng.choice(list(SCALES), p=[0.4, 0.35, 0.15, 0.1]))]
    first, second = (PROGRESSIONS[int(i)] for i in rng.integers(len(PROGRESSIONS), size=2))
    seventh = rng.random() < 0.35
    chords: list[Chord] = []
    for bar in range(bars):
        progression = first if (bar // 8) % 2 == 0 else second
        degree = progression[bar % 4]
        steps = [degree, degree + 2, degree + 4] + ([degree + 6] if seventh else [])
        tones = [key + scale[s % 7] + 12 * (s // 7) for s in steps]
        chords.append(
            Chord(root=tones[0] % 12, tones=tuple(t % 12 for t in tones), scale=_pitches(key, scale))
        )
    return chords


def _pitches(key: int, scale: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(sorted((key + step) % 12 for step in scale))


def _humanise(rng: np.random.Generator, notes: list[Note], tightness_seconds: float) -> list[Note]:
    """Shift each note by a slowly wandering and a quick error; colour velocities likewise."""
    drift = 0.0
    out = []
    for note in sorted(notes, key=lambda n: n.start):
        drift = 0.9 * drift + rng.normal(0, tightness_seconds / 2)
        start = max(0.0, note.start + drift + rng.normal(0, tightness_seconds))
        velocity = int(np.clip(note.velocity + rng.normal(0, 7), 15, 127))
        out.append(Note(start, note.duration, note.pitch, velocity))
    return out


def compose(seed: int, seconds: float) -> Song:
    """Compose the song of this seed; the same seed gives the same song."""
    rng = np.random.default_rng([seed, 0xC0])
    genre = str(rng.choice(patterns.GENRES))
    low, high = patterns.TEMPI[genre]
    tempo = float(rng.uniform(low, high))
    beat = 60.0 / tempo
    bars = int(np.ceil(seconds / (4 * beat))) + 1
    chords = _chords(rng, bars)
    swing = float(rng.uniform(0.08, 0.16)) if genre in ("jazz", "hiphop", "shuffle") else 0.0
    grid = patterns.Grid(beat=beat, swing=swing, bars=bars)
    tightness = float(rng.uniform(0.0, 0.003) if genre in ("house", "techno") else rng.uniform(0.002, 0.010))

    drums = patterns.drum_part(rng, genre, grid) if rng.random() > 0.06 else []
    bass = None
    if rng.random() > 0.06:
        bass = Layer(*patterns.bass_part(rng, genre, grid, chords))
    other = [
        Layer(*patterns.other_part(rng, genre, grid, chords))
        for _ in range(rng.choice([1, 2, 3, 4], p=[0.2, 0.35, 0.3, 0.15]))
    ]
    vocals = patterns.vocal_parts(rng, grid, chords) if rng.random() > 0.08 else []
    return Song(
        seed=seed,
        tempo=tempo,
        seconds=seconds,
        genre=genre,
        drums=_humanise(rng, drums, tightness),
        bass=Layer(bass.style, _humanise(rng, bass.notes, tightness)) if bass else None,
        other=[Layer(layer.style, _humanise(rng, layer.notes, tightness)) for layer in other],
        vocals=[_humanise(rng, voice, 0.012) for voice in vocals],
    )
