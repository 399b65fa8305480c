"""Reading by libsndfile: WAV, FLAC, MP3, Ogg Vorbis, Opus, AIFF, CAF and their kin."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import soundfile

from soundforge_nb.audio import faults
from soundforge_nb.audio.decode import BLOCK_VALUES, TOLERATED_SHARE, AudioFormat, Block

#: Programs that write a WAV into a pipe can't know its size, and put the largest number there.
_UNKNOWN_SIZE = 0x7FFF0000
_CUT_DATA_CHUNK = re.compile(r"^\s*data\s*:\s*(\d+) \(should be (\d+)\)", re.MULTILINE)


class SndfileReader:
    def __init__(self, path: faults.FilePath, file: soundfile.SoundFile) -> None:
        self._path = path
        self._file = file
        self.format = AudioFormat(
            sample_rate_hz=int(file.samplerate),
            channels=int(file.channels),
            format=str(file.format),
            subtype=str(file.subtype),
            # libsndfile says 2^63 - 1 where it can't know.
            expected_samples=int(file.frames) if 0 <= file.frames < 1 << 60 else None,
        )

    @classmethod
    def open(cls, path: faults.FilePath) -> SndfileReader | None:
        """None where libsndfile does not know the format."""
        try:
            # As bytes: a name that is no valid text can't be passed as str.
            return cls(path, soundfile.SoundFile(os.fsencode(path)))
        except soundfile.LibsndfileError:
            return None

    def blocks(self) -> Iterator[Block]:
        samples = 0
        block_samples = max(1, BLOCK_VALUES // self.format.channels)
        while True:
            try:
                block = self._file.read(block_samples, dtype="float32", always_2d=True)
            except soundfile.LibsndfileError as error:
                raise self._damaged(samples, str(error.error_string).strip(" .")) from error
            if len(block) == 0:
                break
            samples += len(block)
            yield block
        self._check_length(samples)

    def _check_length(self, samples: int) -> None:
        cut = _CUT_DATA_CHUNK.search(self._file.extra_info)
        if cut and int(cut[2]) < int(cut[1]) < _UNKNOWN_SIZE:
            whole = round(samples * int(cut[1]) / max(int(cut[2]), 1))
            raise self._damaged(samples, "the file is cut off", whole)
        expected = self.format.expected_samples or 0
        allowed = 0 if self.format.format == "FLAC" else TOLERATED_SHARE
        if samples < expected * (1 - allowed):
            raise self._damaged(samples, "the file is cut off")

    def _damaged(self, samples: int, reason: str, expected_samples: int | None = None) -> Exception:
        rate = self.format.sample_rate_hz
        expected = expected_samples or self.format.expected_samples
        return faults.damaged(self._path, samples / rate, expected / rate if expected else None, reason)

    def close(self) -> None:
        self._file.close()
