"""Drum kits of recorded samples: Hydrogen kits, Sonic Pi's one-shots, and drums made by arithmetic."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import soundfile as sf
import soxr

from training import patterns as p
from training.effects import RATE, Audio, pan
from training.patterns import Note
from training.sources import HYDROGEN, SONIC_PI

Kit = dict[int, list[Audio]]  # General MIDI drum pitch → samples from soft to loud, each (2, n)

NAMES = (
    (r"open|semi", p.OPEN),
    (r"pedal", p.PEDAL),
    (r"hat|hh|closed", p.CLOSED),
    (r"rim|stick", p.RIM),
    (r"clap", p.CLAP),
    (r"snare", p.SNARE),
    (r"kick|bass", p.KICK),
    (r"crash|splash|china|cymbal", p.CRASH),
    (r"ride|bell", p.RIDE),
    (r"low tom|tom low|floor|tom 3", p.TOM_LOW),
    (r"mid|tom 2", p.TOM_MID),
    (r"tom", p.TOM_HIGH),
    (r"cowbell|agogo", p.COWBELL),
    (r"tamb", p.TAMBOURINE),
    (r"shak", p.SHAKER),
    (r"conga|bongo", p.CONGA),
)
STAND_INS = {
    p.RIM: p.SNARE,
    p.CLAP: p.SNARE,
    p.OPEN: p.CLOSED,
    p.PEDAL: p.CLOSED,
    p.RIDE: p.CRASH,
    p.CRASH: p.RIDE,
    p.TOM_LOW: p.TOM_MID,
    p.TOM_MID: p.TOM_HIGH,
    p.TOM_HIGH: p.TOM_LOW,
    p.TAMBOURINE: p.CLOSED,
    p.SHAKER: p.CLOSED,
    p.COWBELL: p.RIM,
    p.CONGA: p.TOM_HIGH,
}


def _read(path: Path) -> Audio | None:
    """A sample at 44 100 Hz in stereo, or None for a damaged or silent file (some kits have one)."""
    try:
        audio, rate = sf.read(path, dtype="float32", always_2d=True)
    except sf.LibsndfileError:
        return None
    stereo = audio.T[:2] if audio.shape[1] > 1 else np.repeat(audio.T, 2, 0)
    stereo = stereo[:, : 4 * rate]
    if rate != RATE:
        stereo = soxr.resample(stereo.T, rate, RATE).T
    if stereo.shape[1] < 64 or not np.abs(stereo).max() > 1e-3:
        return None
    stereo[:, -64:] *= np.linspace(1, 0, 64, dtype=np.float32)
    return np.ascontiguousarray(stereo, np.float32)


@lru_cache(maxsize=4)
def hydrogen_kit(name: str) -> Kit:
    """Read a Hydrogen kit; instruments are known by their names, layers by their velocity range."""
    folder = HYDROGEN / name
    text = re.sub(r"""\sxmlns(:\w+)?="[^"]*\"""", "", (folder / "drumkit.xml").read_text("utf-8", "replace"))
    root = ElementTree.fromstring(text)  # noqa: S314 - a file of a Debian package
    kit: Kit = {}
    for instrument in root.iter("instrument"):
        label = (instrument.findtext("name") or "").lower()
        pitch = next((pitch for pattern, pitch in NAMES if re.search(pattern, label)), None)
        if pitch is None or pitch in kit:
            continue
        layers = sorted(instrument.iter("layer"), key=lambda e: float(e.findtext("min") or 0))
        files = [e.findtext("filename") for e in layers] or [instrument.findtext("filename")]
        samples = [s for f in files if f and (s := _read(folder / f)) is not None]
        if samples:
            kit[pitch] = samples
    return kit


SONIC_PI_ROLES = {
    p.KICK: ("bd_*", "drum_bass_*", "drum_heavy_kick", "elec_hollow_kick", "elec_soft_kick"),
    p.SNARE: ("sn_*", "drum_snare_*", "elec_*snare"),
    p.CLOSED: ("drum_cymbal_closed", "drum_cymbal_pedal", "elec_tick", "perc_snap"),
    p.OPEN: ("drum_cymbal_open", "elec_cymbal"),
    p.CRASH: ("drum_splash_*", "drum_cymbal_hard"),
    p.RIDE: ("drum_cymbal_soft", "drum_cymbal_hard"),
    p.RIM: ("perc_snap*", "elec_wood", "elec_pop"),
    p.CLAP: ("perc_snap*", "sn_generic"),
    p.TOM_LOW: ("drum_tom_lo_*", "elec_fuzz_tom"),
    p.TOM_MID: ("drum_tom_mid_*",),
    p.TOM_HIGH: ("drum_tom_hi_*",),
    p.COWBELL: ("drum_cowbell", "elec_bell", "perc_bell"),
    p.CONGA: ("tabla_*",),
    p.TAMBOURINE: ("elec_triangle", "elec_chime"),
    p.SHAKER: ("elec_tick",),
}


def sonic_pi_kit(rng: np.random.Generator) -> Kit:
    """A kit drawn at random from the one-shots that are CC0."""
    kit: Kit = {}
    for pitch, globs in SONIC_PI_ROLES.items():
        found = sorted(path for g in globs for path in SONIC_PI.glob(g + ".flac"))
        sample = _read(found[int(rng.integers(len(found)))])
        if sample is not None:
            kit[pitch] = [sample]
    return kit


def sonic_pi_named(names: dict[int, str]) -> Kit:
    """A kit of named one-shots."""
    return {
        pitch: [sample]
        for pitch, name in names.items()
        if (sample := _read(SONIC_PI / f"{name}.flac")) is not None
    }


def _burst(seconds: float, decay: float) -> tuple[np.ndarray, np.ndarray]:
    t = np.arange(int(seconds * RATE)) / RATE
    return t, np.exp(-t / decay)


def synthetic_kit(rng: np.random.Generator) -> Kit:
    """Drum-machine drums: swept sines, noise bursts and square-wave metal."""
    u = rng.uniform
    t, env = _burst(0.7, u(0.08, 0.35))
    f = u(40, 60) + u(60, 250) * np.exp(-t / u(0.01, 0.05))
    kick = np.sin(2 * np.pi * np.cumsum(f) / RATE) * env + u(0, 0.4) * rng.standard_normal(t.size) * np.exp(
        -t / 0.004
    )
    t, env = _burst(0.5, u(0.05, 0.18))
    noise = np.diff(rng.standard_normal(t.size), prepend=0.0) if u() < 0.5 else rng.standard_normal(t.size)
    snare = u(0.3, 0.8) * noise * env + np.sin(2 * np.pi * u(160, 250) * t) * np.exp(-t / u(0.03, 0.1))
    claps = sum(
        np.roll(noise * np.exp(-t / (0.008 if k < 3 else u(0.06, 0.15))), int(k * u(0.009, 0.013) * RATE))
        for k in range(4)
    )
    kit: Kit = {p.KICK: [_mono(kick)], p.SNARE: [_mono(snare)], p.CLAP: [_mono(claps)]}
    base = u(280, 420)
    for pitch, decay in (
        (p.CLOSED, u(0.02, 0.06)),
        (p.OPEN, u(0.15, 0.4)),
        (p.CRASH, u(0.5, 1.2)),
        (p.RIDE, u(0.3, 0.8)),
        (p.SHAKER, 0.05),
        (p.TAMBOURINE, 0.08),
    ):
        t, env = _burst(4 * decay, decay)
        metal = sum(np.sign(np.sin(2 * np.pi * base * r * t)) for r in (2, 3, 4.16, 5.43, 6.79, 8.21)) / 6
        metal = np.diff(
            np.diff(u(0.2, 1) * metal + u(0.3, 1) * rng.standard_normal(t.size), prepend=0.0), prepend=0.0
        )
        kit[pitch] = [_mono(metal * env)]
    for pitch, hz in (
        (p.TOM_LOW, 80),
        (p.TOM_MID, 110),
        (p.TOM_HIGH, 150),
        (p.CONGA, 220),
        (p.RIM, 800),
        (p.COWBELL, 560),
    ):
        t, env = _burst(0.6, u(0.05, 0.2) if hz < 500 else 0.03)
        kit[pitch] = [_mono(np.sin(2 * np.pi * np.cumsum(hz * (1 + 0.5 * np.exp(-t / 0.03))) / RATE) * env)]
    return kit


def _mono(sound: np.ndarray) -> Audio:
    return np.repeat((sound / (np.abs(sound).max() + 1e-9))[None], 2, 0).astype(np.float32)


def play(rng: np.random.Generator, notes: list[Note], kit: Kit, seconds: float) -> Audio:
    """Play drum notes with a kit: layer and level by velocity, a little random pitch and place per drum."""
    out = np.zeros((2, int(seconds * RATE)), np.float32)
    places = {
        pitch: float(rng.uniform(-0.6, 0.6)) if pitch not in (p.KICK, p.SNARE) else 0.0
        for pitch in range(128)
    }
    levels = {
        pitch: 10 ** (rng.normal(0, 2) / 20)
        * (0.5 if pitch in (p.CLOSED, p.OPEN, p.RIDE, p.SHAKER, p.TAMBOURINE) else 1.0)
        for pitch in range(128)
    }
    tuning = {pitch: float(rng.uniform(0.94, 1.06)) for pitch in range(128)}
    tuned: dict[tuple[int, int], Audio] = {}
    for note in notes:
        pitch = int(note.pitch)
        if pitch not in kit:
            pitch = STAND_INS.get(pitch, pitch)
        samples, start = kit.get(pitch), int(note.start * RATE)
        if not samples or start >= out.shape[1]:
            continue
        layer = min(len(samples) - 1, int(note.velocity / 128 * len(samples)))
        if (pitch, layer) not in tuned:
            source = samples[layer] / (np.abs(samples[layer]).max() + 1e-9)
            index = np.arange(0, source.shape[1] - 1, tuning[pitch])
            tuned[pitch, layer] = pan(
                np.stack([np.interp(index, np.arange(source.shape[1]), c) for c in source]).astype(
                    np.float32
                ),
                places[pitch],
            )
        sound = tuned[pitch, layer][:, : out.shape[1] - start]
        out[:, start : start + sound.shape[1]] += sound * levels[pitch] * (note.velocity / 110) ** 1.6
    return out
