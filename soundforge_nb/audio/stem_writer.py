"""Writes a stem as it comes: aside first, under its own name when it is whole."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from soundforge_nb.audio.curves import Envelope
from soundforge_nb.audio.decode import Block
from soundforge_nb.audio.disk_space import write_error
from soundforge_nb.audio.faults import FilePath
from soundforge_nb.errors import UsageError

#: What a RIFF file can't exceed; longer stems are RF64, which the same programs read.
_RIFF_BYTES = 4_000_000_000

#: libsndfile's SFC_SET_ADD_PEAK_CHUNK.
_SET_ADD_PEAK_CHUNK = 0x1050


@dataclass(frozen=True)
class StemFormat:
    """A file format for stems.

    `integer` formats hold nothing beyond full scale: there samples are clamped, and counted. (Scaling
    the stem down instead would break the sum of the stems.)
    """

    name: str
    extension: str
    container: str
    subtype: str
    bytes_per_sample: float
    integer: bool


FORMATS = {
    "wav_float32": StemFormat("wav_float32", "wav", "WAV", "FLOAT", 4, False),
    "wav_int24": StemFormat("wav_int24", "wav", "WAV", "PCM_24", 3, True),
    "flac": StemFormat("flac", "flac", "FLAC", "PCM_24", 2.4, True),
    # By libsndfile's LAME at 320 kbit/s: it takes float samples and writes the header that lets
    # players cut the encoder's padding, so that a stem keeps its length and its place.
    "mp3": StemFormat("mp3", "mp3", "MP3", "MPEG_LAYER_III", 0.46, True),
}


def stem_format(name: str) -> StemFormat:
    """The format of this name; UsageError where there is none."""
    if name not in FORMATS:
        raise UsageError(f"There is no stem format {name!r}.", f"Choose from {', '.join(FORMATS)}.")
    return FORMATS[name]


class StemWriter:
    """One stem's file.

    Parameters
    ----------
    stem : str
        Its name, which becomes the file's.
    samples : int
        How many samples per channel will come.
    song : path
        What the stem is of, for sentences.

    Raises
    ------
    DiskError
        The disk is full or the folder can't be written; `write` and `finish` raise it too.
    """

    def __init__(
        self,
        folder: Path,
        stem: str,
        format: StemFormat,
        sample_rate_hz: int,
        channels: int,
        samples: int,
        song: FilePath,
    ) -> None:
        self.stem = stem
        self.format = format
        self.file = folder / f"{stem}.{format.extension}"
        self._aside = folder / f"{self.file.name}.part"
        self._song = song
        self._rate = sample_rate_hz
        self._channels = channels
        self._samples = 0
        self._peak = 0.0
        self._energy = 0.0
        self._clipped = 0
        self._envelope = Envelope()
        self._open = self._opened(samples)

    def _opened(self, samples: int) -> soundfile.SoundFile:
        format = self.format
        container = format.container
        size = samples * self._channels * format.bytes_per_sample
        if container == "WAV" and size > _RIFF_BYTES:
            container = "RF64"
        quality = {"compression_level": 0.0, "bitrate_mode": "CONSTANT"} if container == "MP3" else {}
        with self._writing():
            # By Python first: where that fails the system says why, libsndfile does not.
            self._aside.touch()
            opened = soundfile.SoundFile(
                os.fsencode(self._aside),
                "w",
                samplerate=self._rate,
                channels=self._channels,
                format=container,
                subtype=format.subtype,
                **quality,
            )
        # The chunk holds the time of writing: without it the same stem has the same bytes.
        soundfile._snd.sf_command(opened._file, _SET_ADD_PEAK_CHUNK, soundfile._ffi.NULL, 0)
        return opened

    def write(self, block: Block) -> None:
        """Append samples of shape ``(samples, channels)``."""
        level = np.abs(block)
        self._peak = max(self._peak, float(level.max(initial=0.0)))
        self._energy += float(np.sum(np.square(block, dtype=np.float64)))
        self._samples += len(block)
        self._envelope.push(block.mean(axis=1).astype(np.float32))
        if self.format.integer:
            self._clipped += int(np.count_nonzero(level > 1.0))
            block = np.clip(block, -1.0, 1.0)
        with self._writing():
            self._open.write(block)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except (OSError, soundfile.LibsndfileError) as error:
            raise write_error(error, self._aside, self._song) from error

    def finish(self) -> dict[str, Any]:
        """Close the file, put it into its place, and describe it as JSON."""
        with self._writing():
            self._open.close()
            with self._aside.open("rb") as written:
                digest = hashlib.file_digest(written, "sha256").hexdigest()
            size = self._aside.stat().st_size
            self._aside.replace(self.file)
        values = max(self._samples * self._channels, 1)
        return {
            "stem": self.stem,
            "file": self.file.name,
            "format": self.format.name,
            "bytes": size,
            "sha256": digest,
            "duration_seconds": self._samples / self._rate,
            "sample_rate_hz": self._rate,
            "channels": self._channels,
            "peak": self._peak,
            "rms": float(np.sqrt(self._energy / values)),
            "clipped_samples": self._clipped,
            "envelope": self._envelope.as_json(self._rate),
        }

    def discard(self) -> None:
        """Close the file and remove what stands aside; nothing where `finish` has run."""
        with suppress(soundfile.LibsndfileError):
            # On a full disk the last bytes can't be written; they are of no use any more.
            self._open.close()
        self._aside.unlink(missing_ok=True)
