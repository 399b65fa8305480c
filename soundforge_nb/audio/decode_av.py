"""Reading by FFmpeg's libraries (PyAV): M4A/AAC, WMA, Matroska, the sound of video files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import av
import numpy as np

from soundforge_nb.audio import faults
from soundforge_nb.audio.decode import TOLERATED_SHARE, AudioFormat, Block

#: Containers that hold their own sound. Playlist formats (HLS, concat, DASH) stay out: a text file of
#: that kind could make the decoder open other files, or addresses on the network.
CONTAINERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,aac,asf,avi,flv,mpegts,mpeg,mp3,mp2,ogg,flac,wav,w64,aiff,au,caf,"
    "ac3,eac3,dts,dtshd,truehd,amr,ape,wv,tta,tak,mpc,mpc8,dsf,iff,rm,oma,voc,shn,spdif,xwma,nut,mxf"
)


class AvReader:
    def __init__(self, path: faults.FilePath, file: IO[bytes], container: Any) -> None:
        self._path = path
        self._file = file
        self._container = container
        stream = container.streams.audio[0]
        self._stream = stream
        rate = int(stream.rate or stream.codec_context.sample_rate)
        length = float(stream.duration * stream.time_base) if stream.duration else None
        self.format = AudioFormat(
            sample_rate_hz=rate,
            channels=int(stream.channels),
            format=str(container.format.name).split(",")[0].upper(),
            subtype=str(stream.codec_context.name).upper(),
            expected_samples=None if length is None else round(length * rate),
        )

    @classmethod
    def open(cls, path: faults.FilePath) -> AvReader:
        """Raises InputError of kind not_audio or no_audio_stream."""
        # An open file, not a name: FFmpeg reads names such as "http:…" or "concat:…" as addresses.
        file = Path(path).open("rb")  # noqa: SIM115 - the reader closes it
        try:
            container = av.open(
                file, container_options={"format_whitelist": CONTAINERS, "protocol_whitelist": "none"}
            )
        except (av.FFmpegError, ValueError) as error:
            file.close()
            raise faults.not_audio(path) from error
        fault = _stream_fault(path, container)
        if fault is not None:
            container.close()
            file.close()
            raise fault
        return cls(path, file, container)

    def blocks(self) -> Iterator[Block]:
        samples = 0
        resampler = av.AudioResampler(format="flt", layout=self._stream.layout.name)
        try:
            for frame in self._container.decode(self._stream):
                for converted in resampler.resample(frame):
                    block = self._interleaved(converted)
                    samples += len(block)
                    yield block
        except av.FFmpegError as error:
            rate = self.format.sample_rate_hz
            raise faults.damaged(
                self._path, samples / rate, self.format.expected_seconds, error.strerror or "decoder error"
            ) from error
        # A container's length is rounded to packets: only what is far from it is cut.
        missing = (self.format.expected_seconds or 0.0) - samples / self.format.sample_rate_hz
        if missing > max(0.5, TOLERATED_SHARE * samples / self.format.sample_rate_hz):
            read_seconds = samples / self.format.sample_rate_hz
            expected = self.format.expected_seconds
            raise faults.damaged(self._path, read_seconds, expected, "the file is cut off")

    def _interleaved(self, frame: Any) -> Block:
        # Packed samples come as one row; the plane may be padded beyond them.
        packed = frame.to_ndarray().reshape(-1)[: frame.samples * self.format.channels]
        block: Block = packed.reshape(-1, self.format.channels).astype(np.float32, copy=False)
        return block

    def close(self) -> None:
        self._container.close()
        self._file.close()


def _stream_fault(path: faults.FilePath, container: Any) -> Exception | None:
    """What keeps the first audio stream from being decoded."""
    if not container.streams.audio:
        return faults.no_audio_stream(path) if container.streams else faults.not_audio(path)
    stream = container.streams.audio[0]
    # A stream of an unknown codec, as a scratched header names one, has no context to ask.
    if stream.codec_context is None or not (stream.channels and stream.codec_context.sample_rate):
        return faults.not_audio(path)
    return None
