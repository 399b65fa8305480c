"""Singing: spoken syllables, taken apart by the WORLD vocoder, sing a melody.

A bank holds, per voice, some dozens of syllables as WORLD frames (pitch, spectral envelope, aperiodicity;
M. Morise et al. 2016). To sing, a syllable's consonants keep their length, its vowel is stretched to the
note, and the pitch follows the melody with glides, vibrato and jitter. Speech stops at 8 or 11 kHz, so
the envelope is carried on above by its own slope as noise: sibilants and breath need those octaves.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyworld
import soundfile as sf
import soxr
from numpy.typing import NDArray

from training.effects import RATE, Audio
from training.patterns import Note

FRAME_SECONDS = 0.005
FFT = 2048
SYLLABLES = (
    "la",
    "love",
    "you",
    "me",
    "night",
    "day",
    "shine",
    "know",
    "go",
    "way",
    "heart",
    "time",
    "fire",
    "run",
    "dream",
    "stay",
    "light",
    "rain",
    "sky",
    "home",
    "oh",
    "ah",
    "see",
    "free",
    "world",
    "soul",
    "eyes",
    "and",
    "the",
    "never",
    "ever",
    "feel",
    "hold",
    "so",
    "down",
    "mama",
    "bella",
    "sole",
    "cielo",
    "amor",
    "noche",
    "hey",
    "na",
    "dance",
    "still",
    "cha",
    "kiss",
    "please",
    "wish",
    "star",
)
SENTENCES = (
    "walking down the city street with the rhythm in my feet",
    "everybody in the house get up and move your body now",
    "I was thinking about the things you said to me last night",
    "money on my mind and the sun is going down again",
    "ladies and gentlemen thank you so much for coming tonight",
)


@dataclass(frozen=True)
class Syllable:
    """WORLD frames of one spoken syllable: voiced (n,) bool, envelope and aperiodicity (n, FFT/2 + 1)."""

    voiced: NDArray[np.bool_]
    envelope: NDArray[np.float32]
    aperiodicity: NDArray[np.float32]


def speak(program: str, voice: str, pitch: int, text: str) -> Audio:
    """Speech as mono (n,) at 44 100 Hz."""
    path = shutil.which("espeak-ng" if program == "espeak" else "flite")
    if path is None:
        raise RuntimeError(f"the program {program} is missing: install Debian's packages espeak-ng and flite")
    with tempfile.TemporaryDirectory() as folder:
        wave = Path(folder) / "speech.wav"
        if program == "espeak":
            command = [path, "-v", voice, "-p", str(pitch), "-s", "150", "-w", str(wave), text]
        else:
            command = [path, "-voice", voice, "-t", text, "-o", str(wave)]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        audio, rate = sf.read(wave, dtype="float64")
    audio = soxr.resample(audio, rate, RATE)
    loud = np.flatnonzero(np.abs(audio) > 0.01 * np.abs(audio).max())
    return np.asarray(audio[max(0, loud[0] - 400) : loud[-1] + 400] / np.abs(audio).max() * 0.7, np.float64)


def _extend(envelope: NDArray[np.float64], aperiodicity: NDArray[np.float64], edge_hz: float) -> None:
    """Carry envelope and noisiness on above the speech's own band edge, in place."""
    edge = int(edge_hz / RATE * FFT)
    hz = np.arange(envelope.shape[1]) * RATE / FFT
    level = envelope[:, edge - 40 : edge].mean(1, keepdims=True)
    envelope[:, edge:] = level * (hz[edge] / hz[edge:]) ** 3.5
    aperiodicity[:, edge:] = np.maximum(aperiodicity[:, edge:], 0.9)


def analyse(speech: Audio, edge_hz: float) -> Syllable:
    """Take speech apart into WORLD frames."""
    x = np.ascontiguousarray(speech, np.float64)
    f0, t = pyworld.dio(x, RATE, f0_floor=60.0, f0_ceil=500.0, frame_period=FRAME_SECONDS * 1000)
    f0 = pyworld.stonemask(x, f0, t, RATE)
    envelope = pyworld.cheaptrick(x, f0, t, RATE, fft_size=FFT)
    aperiodicity = pyworld.d4c(x, f0, t, RATE, fft_size=FFT)
    _extend(envelope, aperiodicity, edge_hz)
    return Syllable(f0 > 0, envelope.astype(np.float32), aperiodicity.astype(np.float32))


def bank(folder: Path, voice: tuple[str, str, int]) -> list[Syllable]:
    """All syllables of a voice; kept as a file, since the analysis takes seconds."""
    program, name, pitch = voice
    key = hashlib.sha256(repr((voice, SYLLABLES)).encode()).hexdigest()[:16]
    path = folder / f"voice-{key}.npz"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        syllables = [
            analyse(speak(program, name, pitch, text), 7000.0 if program == "flite" else 9500.0)
            for text in SYLLABLES
        ]
        arrays = {
            f"{k}_{i}": np.asarray(
                getattr(s, k), bool if k == "voiced" else np.float16 if k == "aperiodicity" else np.float32
            )
            for i, s in enumerate(syllables)
            for k in ("voiced", "envelope", "aperiodicity")
        }
        partial = path.with_suffix(f".{os.getpid()}.partial.npz")
        np.savez(partial, **arrays)
        partial.replace(path)
    with np.load(path) as stored:
        found = [
            Syllable(
                stored[f"voiced_{i}"], stored[f"envelope_{i}"], stored[f"aperiodicity_{i}"].astype(np.float32)
            )
            for i in range(len(SYLLABLES))
        ]
    return [s for s in found if s.voiced.sum() >= 8]


def _stretch(syllable: Syllable, frames: int) -> NDArray[np.intp]:
    """Source frame of each target frame: edges keep their pace, the voiced middle is stretched or cut."""
    n = syllable.voiced.size
    voiced = np.flatnonzero(syllable.voiced)
    head, tail = (
        min(int(voiced[0]) + 6, n // 2, frames // 2),
        min(n - 1 - int(voiced[-1]) + 6, n // 3, frames // 4),
    )
    middle = frames - head - tail
    index = np.concatenate([np.arange(head), np.linspace(head, n - tail - 1, middle), np.arange(n - tail, n)])
    return np.clip(np.round(index), 0, n - 1).astype(np.intp)


def _warp(frames: NDArray[np.float64], factor: float) -> NDArray[np.float64]:
    """Move the formants: another size of head."""
    bins = np.arange(frames.shape[1])
    source = np.clip(bins / factor, 0, frames.shape[1] - 1)
    low = np.floor(source).astype(int)
    high = np.minimum(low + 1, frames.shape[1] - 1)
    part = source - low
    return np.asarray(frames[:, low] * (1 - part) + frames[:, high] * part)


def pitch_curve(rng: np.random.Generator, notes: list[Note], seconds: float) -> NDArray[np.float64]:
    """Pitch in Hz per frame: glides into notes, late vibrato, jitter."""
    n = int(seconds / FRAME_SECONDS)
    target = np.full(n, notes[0].pitch, float)
    depth, rate = rng.uniform(0, 0.5), rng.uniform(4.5, 6.5)
    vibrato = np.zeros(n)
    for note in notes:
        a, b = int(note.start / FRAME_SECONDS), int((note.start + note.duration) / FRAME_SECONDS)
        target[a:] = note.pitch
        since = np.arange(max(0, min(b, n) - a)) * FRAME_SECONDS
        vibrato[a : a + since.size] = (
            depth * np.clip((since - 0.25) / 0.3, 0, 1) * np.sin(2 * np.pi * rate * since)
        )
    glide = int(rng.uniform(2, 14))
    kernel = np.hanning(2 * glide + 3)
    smooth = np.convolve(np.pad(target, glide + 1, mode="edge"), kernel / kernel.sum(), mode="valid")[:n]
    drift = np.convolve(rng.normal(0, 1, n), np.ones(30) / 30, mode="same") * rng.uniform(0.1, 0.9)
    return np.asarray(440 * 2 ** ((smooth + vibrato + drift - 69) / 12))


def sing(rng: np.random.Generator, notes: list[Note], syllables: list[Syllable], seconds: float) -> Audio:
    """Sing a melody with syllables of a bank: mono (samples,)."""
    notes = [n for n in sorted(notes, key=lambda n: n.start) if n.start < seconds - 0.1]
    if not notes:
        return np.zeros(int(seconds * RATE), np.float32)
    pitch = pitch_curve(rng, notes, seconds)
    vowels = rng.random() < 0.2  # some singers only sing "la" and "oh"
    words = rng.integers(0, len(syllables), 16) if not vowels else rng.integers(0, 2, 16)
    text = [syllables[int(words[k % 16]) % len(syllables)] for k in range(len(notes))]
    return sing_words(
        notes, text, pitch, seconds, factor=float(rng.uniform(0.9, 1.15)), breath=float(rng.uniform(0, 0.15))
    )


def sing_words(
    notes: list[Note],
    text: list[Syllable],
    pitch: NDArray[np.float64],
    seconds: float,
    factor: float,
    breath: float,
) -> Audio:
    """Sing one syllable a note: mono (samples,). Notes that overlap are cut, so that a voice is one voice.

    `factor` moves the formants (above 1: a smaller head), `breath` adds noise to the voiced sounds.
    """
    out = np.zeros(int(seconds * RATE), np.float32)
    n = int(seconds / FRAME_SECONDS)
    f0 = np.zeros(n)
    envelope = np.full((n, FFT // 2 + 1), 1e-12)
    aperiodicity = np.ones((n, FFT // 2 + 1))
    for k, (note, syllable) in enumerate(zip(notes, text, strict=True)):
        a = int(note.start / FRAME_SECONDS)
        stop = notes[k + 1].start if k + 1 < len(notes) else seconds
        b = min(n, int(min(note.start + max(note.duration, 0.15), stop) / FRAME_SECONDS))
        if b - a < 8:
            continue
        index = _stretch(syllable, b - a)[: b - a]
        fade = np.minimum(1, np.minimum(np.arange(index.size) + 1, index.size - np.arange(index.size)) / 4)[
            :, None
        ]
        gain = (note.velocity / 100) ** 2
        envelope[a : a + index.size] = (
            _warp(syllable.envelope[index].astype(float), factor) * fade**2 * gain + 1e-12
        )
        aperiodicity[a : a + index.size] = np.clip(syllable.aperiodicity[index], 1e-3, 1)
        f0[a : a + index.size] = np.where(syllable.voiced[index], pitch[a : a + index.size], 0)
    sound = pyworld.synthesize(f0, envelope, np.clip(aperiodicity + breath, 0, 1), RATE, FRAME_SECONDS * 1000)
    out[: min(out.size, sound.size)] = sound[: out.size]
    return out


def rap(rng: np.random.Generator, voice: tuple[str, str, int], notes: list[Note], seconds: float) -> Audio:
    """Spoken lines where phrases begin: mono (samples,)."""
    out = np.zeros(int(seconds * RATE), np.float32)
    end = 0.0
    for note in sorted(notes, key=lambda n: n.start):
        if note.start < end + 0.2 or note.start > seconds - 0.5:
            continue
        line = speak(*voice, SENTENCES[int(rng.integers(len(SENTENCES)))])
        start = int(note.start * RATE)
        part = line[: out.size - start]
        out[start : start + part.size] += part.astype(np.float32)
        end = note.start + line.size / RATE
    return out
