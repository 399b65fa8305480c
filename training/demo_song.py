"""The demo song: `python -m training.demo_song` renders "Over the Hill", 32 s, CC0, with its true stems.

Composed by hand for `make demo`, in D major at 96 beats a minute: two bars of intro, a verse, a chorus, an
ending. Played by this project's synthesisers, CC0 drum samples and a singing speech synthesis. The stems
ship as Ogg Vorbis in `soundforge_nb/audio/demo_song`; the song is their sum after decoding, so that they are
exactly true.
No training song is made from these notes.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import soundfile as sf

from training import effects as fx
from training import patterns as p
from training import sampler, synth, voice
from training.effects import RATE, Audio
from training.mixing import STEMS
from training.patterns import Grid, Note

FOLDER = Path(__file__).parents[1] / "soundforge_nb" / "audio" / "demo_song"
TEMPO, SECONDS, BARS = 96.0, 32.0, 12
GRID = Grid(beat=60 / TEMPO, swing=0.03, bars=BARS)
LEVELS_DB = {"drums": -16.5, "bass": -21.5, "other": -20.5, "vocals": -17.5}

# Root and chord tones of each half bar.
D, BM, G, A, FM = (
    (50, (62, 66, 69, 73)),
    (47, (59, 62, 66, 69)),
    (43, (59, 62, 66, 67)),
    (45, (61, 64, 69, 71)),
    (42, (61, 64, 66, 69)),
)
CHORDS = [
    (D, D),
    (G, G),
    (D, D),
    (BM, BM),
    (G, G),
    (A, A),
    (G, G),
    (A, A),
    (FM, FM),
    (BM, BM),
    (G, A),
    (D, D),
]
# bar, sixteenth, length in sixteenths, pitch, what is sung
MELODY = (
    (2, 4, 2, 66, "more"), (2, 6, 2, 66, "ning"), (2, 8, 4, 69, "light"), (2, 12, 4, 66, "comes"),
    (3, 4, 2, 66, "oh"), (3, 6, 2, 64, "ver"), (3, 8, 2, 62, "the"), (3, 10, 6, 66, "hill"),
    (4, 4, 2, 67, "wah"), (4, 6, 2, 67, "ter"), (4, 8, 4, 71, "sings"), (4, 12, 2, 69, "and"),
    (4, 14, 2, 67, "the"),
    (5, 0, 4, 69, "world"), (5, 4, 2, 66, "is"), (5, 6, 8, 64, "still"),
    (6, 0, 5, 71, "stay"), (6, 6, 2, 71, "with"), (6, 8, 6, 74, "me"), (6, 14, 2, 73, "in"),
    (7, 0, 2, 73, "the"), (7, 2, 5, 71, "sound"), (7, 8, 6, 69, "now"),
    (8, 0, 5, 69, "fall"), (8, 6, 2, 69, "ing"), (8, 8, 6, 73, "free"), (8, 14, 2, 71, "all"),
    (9, 0, 2, 71, "uh"), (9, 2, 5, 69, "round"), (9, 8, 6, 66, "now"),
    (10, 0, 4, 67, "stay"), (10, 4, 4, 69, "here"), (10, 8, 4, 71, "with"), (10, 12, 4, 73, "me"),
    (11, 0, 11, 74, "oh"),
)  # fmt: skip
THIRD_BELOW = {74: 71, 73: 69, 71: 67, 69: 66, 67: 64, 66: 62}


def _patch(kind: str, **changes: float) -> synth.Patch:
    envelope = {"attack": 0.004, "decay": 0.8, "sustain": 0.3, "release": 0.15}
    tone = {"cutoff": 8.0, "sweep": 1.0, "resonance": 0.7, "detune": 0.005, "unison": 1}
    plain = {**envelope, **tone, "ratio": 1.0, "index": 1.0, "vibrato": 0.0}
    return synth.Patch(kind=kind, **{**plain, **changes})  # type: ignore[arg-type]


def _human(rng: np.random.Generator, start: float) -> float:
    return max(0.0, start + float(rng.normal(0, 0.005)))


def drums(rng: np.random.Generator) -> Audio:
    """Soft in the verse (rim instead of snare), full in the chorus."""
    notes: list[Note] = []

    def strike(bar: int, step: float, pitch: int, velocity: float) -> None:
        notes.append(
            Note(
                _human(rng, GRID.at(bar, step)),
                0.2,
                pitch,
                int(np.clip(velocity + rng.normal(0, 5), 10, 127)),
            )
        )

    for bar in range(1, 11):
        chorus = bar >= 6
        for step in range(0, 16, 2):
            strike(bar, step, p.CLOSED, (98 if step % 4 == 0 else 72) + 8 * chorus)
        if bar == 1:
            continue
        for step, velocity in ((0, 108), (7, 62), (10, 96)) if chorus else ((0, 100), (10, 84)):
            strike(bar, step, p.KICK, velocity)
        for step in (4, 12):
            strike(bar, step, p.SNARE if chorus else p.RIM, 104)
        if chorus and bar % 2:
            strike(bar, 15, p.SNARE, 45)
    for step, pitch in (
        (10, p.TOM_HIGH),
        (12, p.TOM_HIGH),
        (13, p.TOM_MID),
        (14, p.TOM_MID),
        (15, p.TOM_LOW),
    ):
        strike(5, step, pitch, 95)
    for bar in (6, 11):
        strike(bar, 0, p.CRASH, 88)
        strike(bar, 0, p.KICK, 108)
    names = {p.KICK: "bd_haus", p.SNARE: "drum_snare_hard", p.RIM: "perc_snap", p.CRASH: "drum_splash_soft"}
    names |= {p.TOM_HIGH: "drum_tom_hi_soft", p.TOM_MID: "drum_tom_mid_soft", p.TOM_LOW: "drum_tom_lo_soft"}
    names |= {p.CLOSED: "drum_cymbal_closed"}
    audio = sampler.play(rng, notes, sampler.sonic_pi_named(names), SECONDS)
    return fx.room(rng, audio, 0.5, 0.12)


def bass(rng: np.random.Generator) -> Audio:
    """Roots with a push before each bar, from the verse on."""
    notes = []
    for bar in range(2, BARS):
        for half, (root, _) in enumerate(CHORDS[bar]):
            low = root - 12
            steps = ((0, 6, 0), (6, 2, 12)) if half == 0 else ((8, 4, 0), (12, 2, 7), (14, 2, 0))
            if bar == 11:
                steps = ((0, 14, 0),) if half == 0 else ()
            notes += [
                Note(_human(rng, GRID.at(bar, s)), n / 4 * GRID.beat * 0.92, low + up, 100 - 3 * s % 10)
                for s, n, up in steps
            ]
    audio = synth.play(
        rng, notes, _patch("sine", index=1.6, decay=0.7, sustain=0.45, attack=0.006, release=0.12), SECONDS
    )
    picked = synth.play(rng, notes, _patch("pluck"), SECONDS)
    return fx.band(fx.width(audio + 0.2 * picked, 0.0), 30, 2500)


def other(rng: np.random.Generator) -> Audio:
    """Electric piano throughout, a plucked guitar in the verse, strummed in the chorus, and a quiet pad."""
    piano, guitar, pad = [], [], []
    for bar in range(BARS):
        for half, (_, tones) in enumerate(CHORDS[bar]):
            at, split = 8 * half, CHORDS[bar][0] != CHORDS[bar][1]
            if half == 0 or split:
                length = (8 if split else 16) / 4 * GRID.beat
                piano += [
                    Note(_human(rng, GRID.at(bar, at)) + 0.008 * k, length * 0.95, t, 84)
                    for k, t in enumerate(tones)
                ]
                pad += [Note(GRID.at(bar, at), length, t + 12, 70) for t in tones[:3]] if bar >= 6 else []
            if bar == 11:
                continue
            if bar >= 6:
                for step in (0, 3, 6):
                    strings = [tones[0] - 12, *tones] if step != 3 else tones[::-1]
                    guitar += [
                        Note(_human(rng, GRID.at(bar, at + step)) + 0.011 * k, 0.35, t, 88 - 4 * step)
                        for k, t in enumerate(strings)
                    ]
            else:
                order = (0, 2, 1, 3)
                guitar += [
                    Note(_human(rng, GRID.at(bar, at + 2 * k)), 0.6, tones[order[k]] + 12 * (k == 3), 80)
                    for k in range(4)
                ]
    keys = synth.play(
        rng, piano, _patch("fm", ratio=1.0, index=1.1, decay=0.9, sustain=0.35, release=0.4), SECONDS
    )
    tines = synth.play(
        rng, piano, _patch("fm", ratio=14.0, index=0.5, decay=0.15, sustain=0.0, release=0.1), SECONDS
    )
    strings = synth.play(
        rng,
        pad,
        _patch("saw", attack=0.35, sustain=0.9, release=0.6, cutoff=3.0, sweep=0.3, unison=5, detune=0.004),
        SECONDS,
    )
    plucked = synth.play(rng, guitar, _patch("pluck"), SECONDS)
    mix = (
        1.0 * fx.chorus(rng, keys)
        + 0.22 * tines
        + 0.10 * fx.pan(strings, 0.15)
        + 0.55 * fx.pan(fx.band(plucked, 120, 9000), -0.45)
    )
    mix = fx.equalise(fx.equalise(mix, 250, -3, "low"), 2500, 4, "high")
    return fx.room(rng, mix, 1.4, 0.22)


def vocals(rng: np.random.Generator) -> Audio:
    """A lead voice, joined a third below in the chorus."""
    words = {
        word: voice.analyse(voice.speak("flite", "slt", 0, word), 7000.0)
        for word in dict.fromkeys(m[4] for m in MELODY)
    }
    total = np.zeros((2, int(SECONDS * RATE)), np.float32)
    for harmony in (False, True):
        lines = [m for m in MELODY if not harmony or m[0] >= 6]
        notes = [
            Note(_human(rng, GRID.at(b, s)), n / 4 * GRID.beat * 0.97, THIRD_BELOW[q] if harmony else q, 92)
            for b, s, n, q, _ in lines
        ]
        pitch = voice.pitch_curve(rng, notes, SECONDS)
        sound = voice.sing_words(
            notes, [words[m[4]] for m in lines], pitch, SECONDS, 0.96 if harmony else 1.04, breath=0.0
        )
        sound = sound / (np.abs(sound).max() + 1e-9)
        total += fx.pan(np.repeat(sound[None], 2, 0), 0.4 if harmony else 0.0) * (0.35 if harmony else 1.0)
    total = fx.equalise(fx.band(total, 180, RATE, 4), 4500, 2.5, "high")
    total = total * fx.gain_curve(total, -20, 3, 0.12)
    return fx.room(rng, fx.echo(total, GRID.beat * 0.75, 0.35, 0.18), 1.6, 0.22)


def stems() -> Audio:
    """The song's stems as float32 (4, 2, samples), in the order drums, bass, other, vocals."""
    rng = np.random.default_rng(20)
    made = {"drums": drums(rng), "bass": bass(rng), "other": other(rng), "vocals": vocals(rng)}
    levelled = [made[name] * (10 ** (LEVELS_DB[name] / 20) / fx.rms(made[name])) for name in STEMS]
    out = np.stack(levelled)
    n, fade = out.shape[2], int(1.5 * RATE)
    out *= np.concatenate([np.ones(n - fade), np.linspace(1, 0, fade) ** 2]).astype(np.float32)
    out = out * fx.gain_curve(out.sum(0) * 2, -14, 1.8, 0.15)
    return np.asarray(out * (0.89 / np.abs(out.sum(0)).max()), np.float32)


def main() -> None:
    """Render the stems and write them with what is known of the song."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, audio in zip(STEMS, stems(), strict=True):
        path = FOLDER / f"{name}.ogg"
        with sf.SoundFile(path, "w", RATE, 2, format="OGG", subtype="VORBIS", compression_level=0.45) as file:
            for start in range(0, audio.shape[1], RATE):  # libsndfile's Vorbis wants modest blocks
                file.write(audio[:, start : start + RATE].T)
    known = {
        "title": "Over the Hill",
        "artist": "soundforge_nb",
        "licence": "CC0-1.0",
        "seconds": SECONDS,
        "tempo_bpm": TEMPO,
        "key": "D major",
        "made_by": "training/demo_song.py",
        "stems": {
            name: {
                "file": f"{name}.ogg",
                "sha256": hashlib.sha256((FOLDER / f"{name}.ogg").read_bytes()).hexdigest(),
            }
            for name in STEMS
        },
        "note": "The song is the sum of the decoded stems: its true stems. It was never in training.",
    }
    (FOLDER / "song.json").write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    print(f"{FOLDER}: {sum(f.stat().st_size for f in FOLDER.iterdir())} bytes")


if __name__ == "__main__":
    main()
