"""Sound files as blocks of float32 samples.

libsndfile reads WAV, FLAC, MP3, Ogg Vorbis, Opus, AIFF and CAF; FFmpeg's libraries (PyAV) read
M4A/AAC and the rest, the sound of video files included. No program is started.

A *block* is an array of shape ``(samples, channels)``, float32, full scale ±1, at the file's own rate.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from soundforge_nb.audio import faults

Block = NDArray[np.float32]

#: Values in a block, over all channels: a file of many channels must not take more memory than others.
BLOCK_VALUES = 1 << 17
#: The length in a compressed file's header may be wrong by a little; a song that lacks more is cut.
TOLERATED_SHARE = 0.05
#: A sample at or beyond this is counted as clipped: the largest value of 16-bit PCM.
CLIP_LEVEL = 1.0 - 2.0**-15
#: Sound has rates between these. A header that says 1 Hz would have a second resampled to half a day.
LEAST_RATE_HZ, HIGHEST_RATE_HZ = 1_000, 1_000_000
#: 180 dB beyond full scale. The squares of larger samples leave the range of float32.
HIGHEST_LEVEL = 1e9


@dataclass(frozen=True)
class AudioFormat:
    """What the file's header says.

    `expected_samples` counts samples per channel; it is None where the header does not say and an
    estimate for compressed formats.
    """

    sample_rate_hz: int
    channels: int
    format: str
    subtype: str
    expected_samples: int | None

    @property
    def expected_seconds(self) -> float | None:
        return None if self.expected_samples is None else self.expected_samples / self.sample_rate_hz


class AudioReader(Protocol):
    """A file that a decoder has open; `blocks` can be called once."""

    format: AudioFormat

    def blocks(self) -> Iterator[Block]: ...

    def close(self) -> None: ...


class AudioFile:
    """An open sound file that checks and measures what passes through `blocks`.

    Attributes
    ----------
    format : AudioFormat
    samples : int
        Samples per channel read so far.
    peak : float
        Largest absolute value so far.
    clipped_samples : int
        Values at full scale so far, over all channels.
    """

    def __init__(self, path: faults.FilePath, reader: AudioReader) -> None:
        self.path = path
        self.format = reader.format
        self.samples = 0
        self.peak = 0.0
        self.clipped_samples = 0
        self._reader = reader
        self._hash = hashlib.sha256()

    @property
    def duration_seconds(self) -> float:
        return self.samples / self.format.sample_rate_hz

    def blocks(self) -> Iterator[Block]:
        """All samples, in order.

        Yields
        ------
        ndarray, shape=(samples, channels), float32

        Raises
        ------
        InputError
            Of kind damaged, not_finite, too_loud or too_short.
        """
        for block in self._reader.blocks():
            if len(block) == 0:
                continue
            self._measure(block)
            yield block
        if self.samples == 0:
            raise faults.too_short(self.path)

    def _measure(self, block: Block) -> None:
        finite = np.isfinite(block)
        if not finite.all():
            first = self.samples + int(np.argmin(finite.all(axis=1)))
            raise faults.not_finite(self.path, first / self.format.sample_rate_hz)
        level = np.abs(block)
        if level.max() > HIGHEST_LEVEL:
            first = self.samples + int(np.argmax((level > HIGHEST_LEVEL).any(axis=1)))
            raise faults.too_loud(self.path, first / self.format.sample_rate_hz)
        self.peak = max(self.peak, float(level.max()))
        self.clipped_samples += int(np.count_nonzero(level >= CLIP_LEVEL))
        self._hash.update(np.ascontiguousarray(block, dtype="<f4").data)
        self.samples += len(block)

    @property
    def decoded_hash(self) -> str:
        """SHA-256 of the samples read: float32, little-endian, channels interleaved, at the native rate.

        It knows neither container nor block size: a WAV and a FLAC of the same PCM share it.
        """
        return self._hash.hexdigest()

    def as_json(self) -> dict[str, Any]:
        """The ``audio`` part of a program's result; whole once `blocks` has run to its end."""
        return {
            "duration_seconds": self.duration_seconds,
            "sample_rate_hz": self.format.sample_rate_hz,
            "channels": self.format.channels,
            "format": self.format.format,
            "subtype": self.format.subtype,
            "decoded_hash": self.decoded_hash,
            "peak": self.peak,
            "clipped_samples": self.clipped_samples,
        }


def _reader(path: faults.FilePath) -> AudioReader:
    from soundforge_nb.audio.decode_sndfile import SndfileReader

    reader = SndfileReader.open(path)
    if reader is not None:
        return reader
    # PyAV takes 0.1 s to import, and most files never need it.
    from soundforge_nb.audio.decode_av import AvReader

    return AvReader.open(path)


@contextmanager
def open_audio(path: faults.FilePath, expected: dict[str, int] | None = None) -> Iterator[AudioFile]:
    """Open a sound file of any known format.

    Parameters
    ----------
    path : path
        The file; names that are no valid text are fine.
    expected : dict, optional
        ``size_bytes`` and ``mtime_ns``: another size or time is an error, before and after reading.

    Raises
    ------
    InputError
        See `soundforge_nb.audio.faults` for the kinds.
    """
    before = faults.check_file(path, expected)
    reader = _reader(path)
    try:
        if not LEAST_RATE_HZ <= reader.format.sample_rate_hz <= HIGHEST_RATE_HZ:
            raise faults.odd_rate(path, reader.format.sample_rate_hz)
        yield AudioFile(path, reader)
    finally:
        reader.close()
    try:
        after = Path(path).stat()
    except OSError as error:
        raise faults.changed(path) from error
    if (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        raise faults.changed(path)


def read_audio(path: faults.FilePath) -> tuple[Block, AudioFile]:
    """A whole file at once: samples of shape ``(samples, channels)``, and the file's measures."""
    with open_audio(path) as file:
        return np.concatenate(list(file.blocks())), file
