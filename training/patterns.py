"""The building blocks of a composition: drum grooves, bass lines, accompaniments and melodies."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

GENRES = (
    "rock",
    "pop",
    "ballad",
    "house",
    "techno",
    "hiphop",
    "funk",
    "metal",
    "latin",
    "jazz",
    "shuffle",
    "breaks",
)
TEMPI = {
    "rock": (95, 160), "pop": (85, 130), "ballad": (60, 90), "house": (118, 130), "techno": (125, 145),
    "hiphop": (75, 100), "funk": (90, 120), "metal": (120, 180), "latin": (85, 125), "jazz": (90, 180),
    "shuffle": (80, 130), "breaks": (120, 172),
}  # fmt: skip
KICK, RIM, SNARE, CLAP, CLOSED, PEDAL, OPEN = 36, 37, 38, 39, 42, 44, 46
TOM_LOW, TOM_MID, TOM_HIGH, CRASH, RIDE, TAMBOURINE, COWBELL, SHAKER, CONGA = (
    41,
    45,
    48,
    49,
    51,
    54,
    56,
    70,
    63,
)

# One bar of sixteen sixteenths: x loud, o soft, . silent. Several to choose from per genre: kick, snare.
GROOVES: dict[str, tuple[tuple[str, str], ...]] = {
    "rock": (("x.....x.x.......", "....x.......x..."), ("x.x.....x.x...x.", "....x.......x..o")),
    "pop": (("x.......x.x.....", "....x.......x..."), ("x.....x...x.....", "....x.......x...")),
    "ballad": (("x.......x.......", "....x.......x..."), ("x.........x.....", "........x.......")),
    "house": (("x...x...x...x...", "....x.......x..."), ("x...x...x...x..o", "....x..o....x...")),
    "techno": (("x...x...x...x...", "............x..."), ("x...x...x...x.x.", "....x.......x...")),
    "hiphop": (("x..x....x.x.....", "....x.......x..."), ("x......x..x....o", "....x..o....x..o")),
    "funk": (("x..o..x...x..x..", "....x..o.o..x..o"), ("x.x....x..x.....", "....x..o.o.ox..o")),
    "metal": (("x.xxx.xxx.xxx.xx", "....x.......x..."), ("xxxxxxxxxxxxxxxx", "....x.......x...")),
    "latin": (("x..x..x.x..x..x.", "...o..x....o..x."), ("x..x....x..x....", "....x..o....x.o.")),
    "jazz": (("o.......o.......", "......o......o.."), ("o.....o...o.....", "...o......o...o.")),
    "shuffle": (("x.....x.x.......", "....x.......x..o"), ("x.......x..o....", "....x.......x...")),
    "breaks": (("x.x.......xx....", "....x..o.o..x..o"), ("x.........x.....", "....x..o.o..x.o.")),
}
HATS = (
    "x.x.x.x.x.x.x.x.",
    "xoxoxoxoxoxoxoxo",
    "x...x...x...x...",
    "..x...x...x...x.",
    "x.xox.xox.xox.xo",
    "xxoxxxoxxxoxxxox",
)
RIDES = ("x...x.x.x...x.x.", "x.x.x.x.x.x.x.x.", "x...x...x...x...")


@dataclass(frozen=True)
class Note:
    """A note: start and duration in seconds, MIDI pitch, velocity 1…127."""

    start: float
    duration: float
    pitch: float
    velocity: int


@dataclass(frozen=True)
class Chord:
    """A bar's chord: pitch classes of root and tones, and the scale that melodies move in."""

    root: int
    tones: tuple[int, ...]
    scale: tuple[int, ...]


@dataclass(frozen=True)
class Grid:
    """The time raster: beat in seconds, swing as a fraction of a beat, number of bars."""

    beat: float
    swing: float
    bars: int

    def at(self, bar: int, sixteenth: float) -> float:
        """Seconds of a sixteenth (0…16) in a bar; every second eighth comes late by the swing."""
        late = self.swing if int(sixteenth) % 4 == 2 else 0.0
        return (bar * 4 + sixteenth / 4 + late) * self.beat


def nearest(pitch_class: int, around: float) -> int:
    """The pitch with this class that lies nearest to `around`."""
    return int(round((around - pitch_class) / 12) * 12 + pitch_class)


def _steps(pattern: str) -> list[tuple[int, int]]:
    """(sixteenth, velocity) of each stroke."""
    return [(i, 104 if c == "x" else 58) for i, c in enumerate(pattern) if c != "."]


def drum_part(rng: np.random.Generator, genre: str, grid: Grid) -> list[Note]:
    """A groove with hats or ride, section crashes, fills every fourth or eighth bar, at times percussion."""
    kick, snare = GROOVES[genre][int(rng.integers(2))]
    back = int(rng.choice([SNARE, SNARE, SNARE, RIM] if genre != "house" else [CLAP, SNARE, CLAP]))
    hats, ride = str(rng.choice(HATS)), str(rng.choice(RIDES))
    extra = [int(p) for p in rng.choice([TAMBOURINE, COWBELL, SHAKER, CONGA], size=rng.choice([0, 0, 1, 2]))]
    extra_pattern = str(rng.choice(HATS))
    every = int(rng.choice([4, 8]))
    silent_bars = set(range(2)) if rng.random() < 0.15 else set()
    notes: list[Note] = []
    for bar in range(grid.bars):
        if bar in silent_bars:
            continue
        fill = bar % every == every - 1 and rng.random() < 0.7
        end = 12 - 4 * int(rng.integers(2)) if fill else 16
        use_ride = genre == "jazz" or (bar // 8) % 2 == 1
        tracks = [(KICK, kick), (back, snare), (RIDE if use_ride else CLOSED, ride if use_ride else hats)]
        tracks += [(p, extra_pattern) for p in extra]
        for pitch, pattern in tracks:
            for step, velocity in _steps(pattern):
                if step < end:
                    if pitch == CLOSED and rng.random() < 0.05:
                        notes.append(Note(grid.at(bar, step), 0.3, OPEN, velocity))
                    else:
                        notes.append(
                            Note(
                                grid.at(bar, step),
                                0.25,
                                pitch,
                                velocity - (18 if step % 4 and pitch in (CLOSED, RIDE) else 0),
                            )
                        )
        if bar % every == 0 and rng.random() < 0.7:
            notes.append(Note(grid.at(bar, 0), 2.0, CRASH, 110))
        if fill:
            notes += _fill(rng, grid, bar, end)
    return notes


def _fill(rng: np.random.Generator, grid: Grid, bar: int, start: int) -> list[Note]:
    drums = [SNARE, TOM_HIGH, TOM_MID, TOM_LOW]
    step = float(rng.choice([1, 1, 2]))
    return [
        Note(
            grid.at(bar, s),
            0.3,
            drums[min(3, int((s - start) / (16 - start) * 4))],
            int(rng.integers(80, 120)),
        )
        for s in np.arange(start, 16, step)
        if rng.random() < 0.9
    ]


BASS_RHYTHMS = (
    "x.x.x.x.x.x.x.x.", "x.....x.x.....x.", "x...x...x...x...", "x..x..x.x..x..x.", "x...............",
    "xxxxxxxxxxxxxxxx", "..x...x...x...x.", "x..x....x.x.....", "x......xx......x",
)  # fmt: skip


def bass_part(
    rng: np.random.Generator, genre: str, grid: Grid, chords: list[Chord]
) -> tuple[str, list[Note]]:
    """A bass line and its style: roots, octaves, arpeggio or walking, staccato to legato."""
    style = str(
        rng.choice(["roots", "octaves", "arpeggio", "walking", "riff"], p=[0.35, 0.15, 0.2, 0.1, 0.2])
    )
    rhythm = "x...x...x...x..." if genre == "jazz" else str(rng.choice(BASS_RHYTHMS))
    centre, gate = float(rng.uniform(31, 42)), float(rng.uniform(0.45, 1.0))
    riff = rng.integers(0, 4, size=16)
    notes: list[Note] = []
    steps = [s for s, _ in _steps(rhythm)]
    for bar in range(grid.bars):
        chord, following = chords[bar], chords[min(bar + 1, len(chords) - 1)]
        for k, step in enumerate(steps):
            length = (steps[k + 1] if k + 1 < len(steps) else 16) - step
            root = nearest(chord.root, centre)
            pitch = root
            if style == "octaves":
                pitch = root + 12 * (k % 2)
            elif style == "arpeggio":
                pitch = nearest(chord.tones[k % len(chord.tones)], root + 4)
            elif style == "riff":
                pitch = root + (0, 0, 7, 12)[riff[step]]
            elif style == "walking" and k:
                target = nearest(following.root, root)
                pitch = nearest(
                    int(rng.choice(chord.scale)), root + (target - root) * k / len(steps) + rng.uniform(-4, 4)
                )
            velocity = 100 if step % 4 == 0 else 84
            notes.append(
                Note(grid.at(bar, step), max(0.06, length / 4 * grid.beat * gate), max(24, pitch), velocity)
            )
    return style, notes


OTHER_RHYTHMS = {
    "comp": ["x.....x...x.....", "..x...x...x...x.", "x...x...x...x...", "x..x..x...x..x.."],
    "strum": ["x...x.x...x.x.x.", "x.x.x.x.x.x.x.x.", "x...x...x..xx.x."],
    "arpeggio": ["x.x.x.x.x.x.x.x.", "xxxxxxxxxxxxxxxx"],
    "power": ["x.x.x.x.x.x.x.x.", "x...............", "x..x..x.x..x..x.", "x.xxx.xxx.xxx.xx"],
}
OTHER_STYLES = ("pad", "comp", "strum", "arpeggio", "power", "lead", "riff")


def other_part(
    rng: np.random.Generator, genre: str, grid: Grid, chords: list[Chord]
) -> tuple[str, list[Note]]:
    """One accompanying layer and its style."""
    weights = np.array([0.2, 0.2, 0.15, 0.17, 0.08, 0.12, 0.08])
    if genre in ("rock", "metal"):
        weights[[2, 4]] *= 4
    style = str(rng.choice(OTHER_STYLES, p=weights / weights.sum()))
    if style in ("lead", "riff"):
        return style, melody(
            rng,
            grid,
            chords,
            centre=float(rng.uniform(64, 80)),
            density=float(rng.uniform(0.3, 0.8)),
            rest=0.35,
        )
    centre = float(rng.uniform(44, 50) if style == "power" else rng.uniform(54, 70))
    drawn = {name: str(rng.choice(rhythms)) for name, rhythms in OTHER_RHYTHMS.items()}
    rhythm = drawn.get(style, "x...............")
    gate = float(rng.uniform(0.4, 1.0)) if style != "pad" else 1.0
    notes: list[Note] = []
    for bar in range(grid.bars):
        notes += _bar_of_chords(rng, style, grid, bar, chords[bar], rhythm, centre, gate)
    return style, notes


def _voicing(style: str, chord: Chord, centre: float) -> list[int]:
    """The chord's pitches near a centre, as this style plays them (lowest first)."""
    pitches = sorted(nearest(t, centre) for t in chord.tones)
    if style == "power":
        root = nearest(chord.root, centre)
        return [root, root + 7, root + 12]
    if style == "strum":
        return sorted([*pitches, pitches[0] - 12, pitches[1] - 12, pitches[0] + 12])
    return pitches


def _bar_of_chords(
    rng: np.random.Generator,
    style: str,
    grid: Grid,
    bar: int,
    chord: Chord,
    rhythm: str,
    centre: float,
    gate: float,
) -> list[Note]:
    voicing = _voicing(style, chord, centre)
    steps = [s for s, _ in _steps(rhythm)]
    notes = []
    for k, step in enumerate(steps):
        length = (steps[k + 1] if k + 1 < len(steps) else 16) - step
        duration = max(0.08, length / 4 * grid.beat * gate)
        velocity = int(rng.integers(78, 100)) - (12 if step % 4 else 0)
        if style == "arpeggio":
            order = [*voicing, voicing[0] + 12, *voicing[::-1][:2]]
            notes.append(Note(grid.at(bar, step), duration * 1.5, order[k % len(order)], velocity))
            continue
        # A strummed chord's strings sound one after the other; up-strokes begin with the highest.
        spread = 0.012 if style == "strum" else 0.003
        strings = voicing if step % 4 == 0 else voicing[::-1]
        notes += [Note(grid.at(bar, step) + i * spread, duration, p, velocity) for i, p in enumerate(strings)]
    return notes


def melody(
    rng: np.random.Generator, grid: Grid, chords: list[Chord], centre: float, density: float, rest: float
) -> list[Note]:
    """A tune in phrases of two bars: steps and small leaps, chord tones on the beats, rests between."""
    motif = sorted(rng.choice(16, size=max(2, int(density * 10)), replace=False))
    notes: list[Note] = []
    pitch = centre
    for phrase in range(0, grid.bars, 2):
        if rng.random() < rest * 0.5:
            continue
        for half in range(2):
            bar = phrase + half
            if bar >= grid.bars:
                break
            steps = (
                motif
                if rng.random() < 0.75
                else sorted(rng.choice(16, size=max(2, int(density * 9)), replace=False))
            )
            if half == 1:
                steps = [s for s in steps if s < 16 * (1 - rest)]
            for k, step in enumerate(steps):
                end = steps[k + 1] if k + 1 < len(steps) else min(16, step + int(rng.integers(2, 7)))
                pitch = pitch + rng.normal(0, 2.5) + 0.15 * (centre - pitch)
                pool = chords[bar].tones if step % 4 == 0 else chords[bar].scale
                pitch = min((nearest(p, pitch) for p in pool), key=lambda p: abs(p - pitch))
                duration = max(0.09, (end - step) / 4 * grid.beat * 0.95)
                notes.append(Note(grid.at(bar, step), duration, int(pitch), int(rng.integers(78, 112))))
    return notes


def vocal_parts(rng: np.random.Generator, grid: Grid, chords: list[Chord]) -> list[list[Note]]:
    """A lead voice, and at times one or two that double it or sing a third or a sixth apart."""
    lead = melody(rng, grid, chords, float(rng.uniform(50, 70)), float(rng.uniform(0.35, 0.8)), rest=0.3)
    voices = [lead]
    for _ in range(int(rng.choice([0, 1, 2], p=[0.6, 0.25, 0.15]))):
        interval = float(rng.choice([0, 3, 4, -5, 7, 12], p=[0.4, 0.15, 0.15, 0.1, 0.1, 0.1]))
        begin = 0.0 if rng.random() < 0.5 else grid.bars * 2 * grid.beat
        voices.append(
            [Note(n.start, n.duration, n.pitch + interval, n.velocity - 10) for n in lead if n.start >= begin]
        )
    return voices
