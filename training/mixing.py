"""From parts to stems: instruments, their rooms, their levels, and one master bus over all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training import effects as fx
from training import fluid, instruments, sampler, sources, synth
from training.compose import Layer, Song
from training.effects import RATE, Audio
from training.patterns import Note

STEMS = ("drums", "bass", "other", "vocals")
LEVELS_DB = {"drums": (-20.0, 3.0), "bass": (-22.0, 3.0), "other": (-20.0, 3.0), "vocals": (-19.0, 3.0)}


@dataclass(frozen=True)
class Studio:
    """What may sound: training instruments or test instruments, never both.

    A plain studio has only this project's own synthesisers, and needs no program or sample from elsewhere.
    """

    test: bool
    cache: Path
    plain: bool = False

    def font(self, rng: np.random.Generator) -> Path:
        fonts = sources.TEST_FONTS if self.test else sources.TRAIN_FONTS
        return fonts[int(rng.integers(len(fonts)))]

    def singer(self, rng: np.random.Generator) -> tuple[str, str, int]:
        voices = sources.TEST_VOICES if self.test else sources.TRAIN_VOICES
        return voices[int(rng.integers(len(voices)))]


def _drums(rng: np.random.Generator, studio: Studio, notes: list[Note], seconds: float) -> Audio:
    if studio.plain:
        return sampler.play(rng, notes, sampler.synthetic_kit(rng), seconds)
    draw = rng.random()
    if studio.test:
        if draw < 0.35:
            audio = fluid.play(
                notes, studio.font(rng), int(rng.choice(instruments.TEST_DRUM_PRESETS)), seconds, drums=True
            )
        elif draw < 0.5:
            audio = fluid.play(notes, sources.TEST_DRUM_FONT, 0, seconds)  # its kit lies in bank 0
        else:
            audio = sampler.play(
                rng, notes, sampler.hydrogen_kit(str(rng.choice(sources.TEST_KITS))), seconds
            )
    elif draw < 0.5:
        audio = fluid.play(
            notes, studio.font(rng), int(rng.choice(instruments.DRUM_PRESETS)), seconds, drums=True
        )
    elif draw < 0.62:
        audio = sampler.play(rng, notes, sampler.hydrogen_kit(str(rng.choice(sources.TRAIN_KITS))), seconds)
    else:
        kit = sampler.sonic_pi_kit(rng) if draw < 0.84 else sampler.synthetic_kit(rng)
        audio = sampler.play(rng, notes, kit, seconds)
    if rng.random() < 0.25:
        audio = fx.distort(audio, float(rng.uniform(0.3, 1.5)))
    if rng.random() < 0.5:
        audio = audio * fx.gain_curve(audio / (fx.rms(audio) * 4 + 1e-9), -18, float(rng.uniform(2, 6)), 0.1)
    return audio


def _tuned(rng: np.random.Generator, studio: Studio, layer: Layer, seconds: float, bass: bool) -> Audio:
    """A pitched layer by soundfont or, in training, at times by a synthesiser."""
    if studio.plain or (not studio.test and rng.random() < (0.35 if bass else 0.25)):
        return synth.play(rng, layer.notes, synth.draw_patch(rng, "bass" if bass else layer.style), seconds)
    programs = instruments.BASS if bass else instruments.OTHER[layer.style]
    bank, program = programs[int(rng.integers(len(programs)))]
    return fluid.play(layer.notes, studio.font(rng), program, seconds, bank)


def _bass(rng: np.random.Generator, studio: Studio, layer: Layer, seconds: float) -> Audio:
    audio = fx.width(_tuned(rng, studio, layer, seconds, bass=True), float(rng.choice([0, 0, 0.3])))
    if rng.random() < 0.3:
        audio = fx.distort(audio, float(rng.uniform(0.5, 2.5)))
    return audio * fx.gain_curve(audio / (fx.rms(audio) * 4 + 1e-9), -15, 3, 0.15)


def _other(rng: np.random.Generator, studio: Studio, layers: list[Layer], seconds: float) -> Audio:
    total = np.zeros((2, int(seconds * RATE)), np.float32)
    for layer in layers:
        audio = _tuned(rng, studio, layer, seconds, bass=False)
        if layer.style == "power" or (layer.style in ("riff", "lead", "strum") and rng.random() < 0.2):
            audio = fx.amplifier(rng, audio, float(rng.uniform(1.5, 12)))
            if rng.random() < 0.4:  # double tracking: the same part a little later on the other side
                late = np.pad(audio, ((0, 0), (int(rng.uniform(0.008, 0.025) * RATE), 0)))[
                    :, : audio.shape[1]
                ]
                audio = np.stack([audio[0], late[1]])
        if rng.random() < 0.2:
            audio = fx.chorus(rng, audio)
        if rng.random() < 0.2:
            audio = fx.echo(audio, float(rng.uniform(0.15, 0.45)), 0.5, float(rng.uniform(0.2, 0.5)))
        audio = fx.pan(fx.width(audio, float(rng.uniform(0.3, 1.3))), float(rng.uniform(-0.7, 0.7)))
        audio = fx.random_equaliser(rng, audio, 4)
        total += audio / (fx.rms(audio) + 1e-4) * 10 ** (rng.uniform(-30, -20) / 20)
    return total


def _vocals(rng: np.random.Generator, studio: Studio, voices: list[list[Note]], seconds: float) -> Audio:
    if studio.plain:  # a saw through three formants stands for a voice
        tone = synth.play(rng, voices[0], synth.draw_patch(rng, "lead"), seconds)
        return sum((fx.band(tone, 0.8 * hz, 1.2 * hz) for hz in (700, 1200, 2600)), start=np.zeros_like(tone))
    from training import voice  # needs pyworld

    total = np.zeros((2, int(seconds * RATE)), np.float32)
    singer = studio.singer(rng)
    spoken = rng.random() < 0.1
    for k, notes in enumerate(voices):
        if k and rng.random() < 0.4:
            singer = studio.singer(rng)
        if k and rng.random() < 0.3:
            bank, program = instruments.CHOIR[int(rng.integers(len(instruments.CHOIR)))]
            audio = fluid.play(notes, studio.font(rng), program, seconds, bank)
        elif spoken and k == 0:
            audio = np.repeat(voice.rap(rng, singer, notes, seconds)[None], 2, 0)
        else:
            audio = np.repeat(voice.sing(rng, notes, voice.bank(studio.cache, singer), seconds)[None], 2, 0)
        audio = fx.pan(audio, 0.0 if k == 0 else float(rng.uniform(-0.8, 0.8)))
        total += audio / (fx.rms(audio) + 1e-4) * 10 ** (-20 / 20 if k == 0 else rng.uniform(-30, -22) / 20)
    total = fx.band(total, float(rng.uniform(70, 150)), RATE)
    total = total * fx.gain_curve(total * 2.5, -18, float(rng.uniform(2, 5)), 0.12)
    if rng.random() < 0.2:
        total = fx.distort(total, float(rng.uniform(0.3, 1.2)))
    if rng.random() < 0.3:
        total = fx.echo(total, float(rng.uniform(0.1, 0.4)), 0.4, float(rng.uniform(0.1, 0.4)))
    return total


def stems_of(song: Song, studio: Studio) -> Audio:
    """All stems of a song: float32 (4, 2, samples), in the order of STEMS; they add up to the mixture."""
    rng = np.random.default_rng([song.seed, 0x57, int(studio.test)])
    empty = np.zeros((2, int(song.seconds * RATE)), np.float32)
    dry = {
        "drums": _drums(rng, studio, song.drums, song.seconds) if song.drums else empty,
        "bass": _bass(rng, studio, song.bass, song.seconds) if song.bass else empty,
        "other": _other(rng, studio, song.other, song.seconds) if song.other else empty,
        "vocals": _vocals(rng, studio, song.vocals, song.seconds) if song.vocals else empty,
    }
    hall = float(np.exp(rng.uniform(np.log(0.25), np.log(2.5))))
    stems = []
    for name in STEMS:
        audio = dry[name]
        level = fx.rms(audio)
        if level > 1e-6:
            wet = float(rng.uniform(0, 0.12) if name == "bass" else rng.uniform(0, 0.55))
            if wet > 0.08:
                audio = fx.room(rng, audio, hall if rng.random() < 0.7 else hall * 0.4, wet)
            audio = fx.random_equaliser(rng, audio, 3)
            mean, spread = LEVELS_DB[name]
            audio = audio * (10 ** ((mean + np.clip(rng.normal(0, spread), -7, 7)) / 20) / fx.rms(audio))
        stems.append(audio)
    return _master(rng, np.stack(stems))


def _master(rng: np.random.Generator, stems: Audio) -> Audio:
    """The master bus: a compressor's gain, the same for every stem, so that they still add up."""
    if rng.random() < 0.6:
        mixture = stems.sum(0)
        level = fx.rms(mixture) + 1e-9
        gain = fx.gain_curve(
            mixture * (0.2 / level), -16, float(rng.uniform(1.5, 5)), float(rng.uniform(0.05, 0.25))
        )
        stems = stems * gain
    peak = max(float(np.abs(stems.sum(0)).max()), float(np.abs(stems).max()), 1e-6)
    return (stems * (rng.uniform(0.5, 0.98) / peak)).astype(np.float32)
