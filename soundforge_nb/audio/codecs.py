"""Which sound formats this installation really reads and writes: each is tried on a short tone, in memory."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import soundfile

from soundforge_nb.audio.decode import Block

_RATE_HZ = 48_000
_SECONDS = 0.5
_TONE_HZ = 1000.0
_CHANNELS = 2


@dataclass(frozen=True)
class Codec:
    """A sound format, and how libsndfile calls it; a name of PyAV's instead where that one reads it."""

    name: str
    container: str
    subtype: str
    by_av: bool = False


CODECS = (
    Codec("WAV", "WAV", "FLOAT"),
    Codec("FLAC", "FLAC", "PCM_24"),
    Codec("MP3", "MP3", "MPEG_LAYER_III"),
    Codec("OGG", "OGG", "VORBIS"),
    Codec("Opus", "OGG", "OPUS"),
    Codec("M4A/AAC", "ipod", "aac", by_av=True),
)


def try_codecs() -> list[dict[str, Any]]:
    """Encode and decode a tone in every format of `CODECS`.

    Returns
    -------
    list of dict
        ``codec``, ``library``, and ``error``: None, or in words what went wrong.
    """
    return [{"codec": codec.name, "library": _library(codec), "error": _error_of(codec)} for codec in CODECS]


def _library(codec: Codec) -> str:
    if not codec.by_av:
        return f"libsndfile {soundfile.__libsndfile_version__}"
    from importlib.metadata import version

    return f"PyAV {version('av')}"


def _error_of(codec: Codec) -> str | None:
    encode, decode = (_av_encoded, _av_decoded) if codec.by_av else (_sndfile_encoded, _sndfile_decoded)
    step = "encoding"
    try:
        encoded = encode(codec)
        step = "decoding"
        fault = _difference(decode(encoded))
    except Exception as error:  # of libsndfile, of FFmpeg, or an import that fails
        fault = str(error) or type(error).__name__
    return f"{step}: {fault}" if fault else None


def tone() -> Block:
    """A sine of 1 kHz at half scale on two channels, float32, shape ``(samples, 2)``."""
    t = np.arange(int(_SECONDS * _RATE_HZ)) / _RATE_HZ
    return np.tile((0.5 * np.sin(2 * np.pi * _TONE_HZ * t)).astype(np.float32)[:, None], (1, _CHANNELS))


def _difference(decoded: Block) -> str | None:
    """What tells the decoded clip from the tone; lossy formats may pad, and change levels a little."""
    if decoded.ndim != 2 or decoded.shape[1] != _CHANNELS:
        return f"it has the shape {decoded.shape}"
    seconds = len(decoded) / _RATE_HZ
    if not 0.9 * _SECONDS < seconds < _SECONDS + 0.2:
        return f"{seconds:.2f} s came back of {_SECONDS} s"
    spectrum = np.abs(np.fft.rfft(decoded[:, 0]))
    loudest_hz = float(np.argmax(spectrum) * _RATE_HZ / len(decoded))
    rms = float(np.sqrt(np.mean(np.square(decoded, dtype=np.float64))))
    if abs(loudest_hz - _TONE_HZ) > 20 or not 0.25 < rms < 0.45:
        return f"a tone of {_TONE_HZ:g} Hz came back as {loudest_hz:g} Hz at {rms:.2f}"
    return None


def _sndfile_encoded(codec: Codec) -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, tone(), _RATE_HZ, format=codec.container, subtype=codec.subtype)
    return stream.getvalue()


def _sndfile_decoded(given: bytes) -> Block:
    samples: Block = soundfile.read(io.BytesIO(given), dtype="float32", always_2d=True)[0]
    return samples


def _av_encoded(codec: Codec) -> bytes:
    import av

    stream = io.BytesIO()
    with av.open(stream, "w", format=codec.container) as container:
        track: Any = container.add_stream(codec.subtype, rate=_RATE_HZ, layout="stereo")
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(tone().T), format="fltp", layout="stereo")
        frame.sample_rate = _RATE_HZ
        container.mux(track.encode(frame))
        container.mux(track.encode(None))
    return stream.getvalue()


def _av_decoded(given: bytes) -> Block:
    return np.concatenate(list(_av_blocks(given)))


def _av_blocks(given: bytes) -> Iterator[Block]:
    import av

    resampler = av.AudioResampler(format="fltp", layout="stereo")
    with av.open(io.BytesIO(given), "r") as container:
        for frame in container.decode(audio=0):
            for converted in resampler.resample(frame):
                yield converted.to_ndarray().T.astype(np.float32)
