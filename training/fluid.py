"""Playing notes with a General MIDI soundfont through the program `fluidsynth`."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import soundfile as sf

from training.effects import RATE, Audio
from training.patterns import Note

TICKS = 1000  # a quarter note of one second: a tick is a millisecond


def _variable(value: int) -> bytes:
    """A MIDI variable-length quantity."""
    out = [value & 0x7F]
    while value := value >> 7:
        out.insert(0, (value & 0x7F) | 0x80)
    return bytes(out)


def midi_bytes(notes: list[Note], program: int, bank: int = 0, drums: bool = False) -> bytes:
    """A format-0 MIDI file of one instrument. Source: Standard MIDI Files 1.0."""
    channel = 9 if drums else 0
    events: list[tuple[int, int, bytes]] = [
        (0, 0, bytes([0xB0 | channel, 0, bank])),
        (0, 1, bytes([0xC0 | channel, program])),
    ]
    for note in notes:
        pitch = int(np.clip(round(note.pitch), 0, 127))
        start = int(note.start * TICKS)
        end = max(start + 20, int((note.start + note.duration) * TICKS))
        events.append((start, 3, bytes([0x90 | channel, pitch, note.velocity])))
        events.append((end, 2, bytes([0x80 | channel, pitch, 0])))
    body, now = b"\x00\xff\x51\x03" + (1_000_000).to_bytes(3, "big"), 0
    for time, _, message in sorted(events, key=lambda e: e[:2]):
        body += _variable(time - now) + message
        now = time
    body += b"\x00\xff\x2f\x00"
    head = (
        b"MThd"
        + (6).to_bytes(4, "big")
        + (0).to_bytes(2, "big")
        + (1).to_bytes(2, "big")
        + TICKS.to_bytes(2, "big")
    )
    return head + b"MTrk" + len(body).to_bytes(4, "big") + body


def play(
    notes: list[Note], font: Path, program: int, seconds: float, bank: int = 0, drums: bool = False
) -> Audio:
    """Render notes, dry (no reverb, no chorus). Returns float32 (2, seconds · 44 100)."""
    length = int(seconds * RATE)
    if not notes:
        return np.zeros((2, length), np.float32)
    program_path = shutil.which("fluidsynth")
    if program_path is None:
        raise RuntimeError("the program fluidsynth is missing: install Debian's package fluidsynth")
    with tempfile.TemporaryDirectory() as folder:
        midi, wave = Path(folder) / "notes.mid", Path(folder) / "notes.wav"
        midi.write_bytes(midi_bytes(notes, program, bank, drums))
        options = [
            "-ni",
            "-q",
            "-g",
            "0.5",
            "-r",
            str(RATE),
            "-R",
            "0",
            "-C",
            "0",
            "-o",
            "synth.dynamic-sample-loading=1",
            "-o",
            "synth.midi-bank-select=gs",
            "-O",
            "float",
            "-T",
            "wav",
            "-F",
            str(wave),
        ]
        subprocess.run(
            [program_path, *options, str(font), str(midi)], check=True, capture_output=True, timeout=120
        )
        audio = sf.read(wave, dtype="float32", always_2d=True)[0].T
    return np.ascontiguousarray(np.pad(audio, ((0, 0), (0, max(0, length - audio.shape[1]))))[:, :length])
