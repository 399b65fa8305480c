"""The mixture as a model wants it: its rate, its channels, its level, in blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from soundforge_nb.audio.decode import AudioFile, Block, open_audio
from soundforge_nb.audio.resample import regrouped, resampled


@dataclass(frozen=True)
class Mixture:
    """What a first pass over the file found.

    Attributes
    ----------
    length : int
        Samples per channel at the model's rate.
    mean, std : float
        Of the mean of the channels, by which Demucs normalises a song.
    energy : float
        Sum of squares over all channels.
    audio : dict
        The file's measures, as JSON.
    """

    length: int
    mean: float
    std: float
    energy: float
    audio: dict[str, Any]

    @property
    def silent(self) -> bool:
        return self.energy == 0.0


class _Moments:
    """Mean and standard deviation in one pass, joined block by block (Chan, Golub and LeVeque 1979)."""

    def __init__(self) -> None:
        self.count = 0
        self.mean = 0.0
        self._squares = 0.0

    def add(self, values: np.ndarray[Any, np.dtype[np.float64]]) -> None:
        count, mean = len(values), float(values.mean())
        difference = mean - self.mean
        total = self.count + count
        self._squares += float(np.sum((values - mean) ** 2)) + difference**2 * self.count * count / total
        self.mean += difference * count / total
        self.count = total

    @property
    def std(self) -> float:
        return float(np.sqrt(self._squares / max(self.count - 1, 1)))


def model_blocks(file: AudioFile, sample_rate_hz: int, channels: int) -> Iterator[Block]:
    """A file's samples at a model's rate and channel count, shape ``(samples, channels)``.

    Channels as Demucs has it: one is given to both sides; of more than two the first two are taken.
    """
    blocks = (block[:, :channels] for block in file.blocks())
    count = min(file.format.channels, channels)
    for block in resampled(blocks, file.format.sample_rate_hz, sample_rate_hz, count, quality="VHQ"):
        yield block if count == channels else np.repeat(block, channels, axis=1)


def survey(
    path: str,
    sample_rate_hz: int,
    channels: int,
    expected: dict[str, int] | None,
    progress: Callable[[float], None],
) -> Mixture:
    """Pass over a file once, for what must be known before its first segment.

    Raises
    ------
    InputError
        The file can't be used.
    """
    moments, energy = _Moments(), 0.0
    with open_audio(path, expected) as file:
        length_seconds = file.format.expected_seconds
        blocks = model_blocks(file, sample_rate_hz, channels)
        for block in regrouped(blocks, 10 * sample_rate_hz):
            wide = block.astype(np.float64)
            energy += float(np.sum(wide**2))
            moments.add(wide.mean(axis=1))
            if length_seconds:
                progress(min(1.0, file.duration_seconds / length_seconds))
    return Mixture(moments.count, moments.mean, moments.std, energy, file.as_json())
