"""Cuts a signal that arrives in blocks into the frames the whole signal would have.

Frame ``t`` is centred on sample ``t * hop_length``; beyond its ends the signal counts as zero. So the frames
are those of ``librosa.stft(center=True)``, whatever the size of the blocks.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Signal = NDArray[np.float32]


class FrameBuffer:
    """Keeps what the next block's first frames still need.

    Parameters
    ----------
    frame_length, hop_length : int
        In samples.
    """

    def __init__(self, frame_length: int, hop_length: int) -> None:
        self.frame_length = frame_length
        self.hop_length = hop_length
        self._rest: Signal = np.zeros(frame_length // 2, np.float32)

    def push(self, y: Signal) -> Signal:
        """Add samples; what is given back holds whole frames only (none: shape 0), for ``center=False``."""
        held = np.concatenate([self._rest, y])
        frames = max(0, 1 + (len(held) - self.frame_length) // self.hop_length)
        self._rest = held[frames * self.hop_length :]
        if frames == 0:
            return held[:0]
        return held[: (frames - 1) * self.hop_length + self.frame_length]

    def finish(self) -> Signal:
        """The frames that reach over the end of the signal."""
        return self.push(np.zeros(self.frame_length - self.frame_length // 2, np.float32))


def real_samples(frames: int, frame_length: int, hop_length: int, length: int) -> NDArray[np.int64]:
    """How many samples of each frame lie inside a signal of `length`: the rest is padding.

    >>> real_samples(3, 8, 4, 10).tolist()
    [4, 8, 6]
    """
    centre = np.arange(frames) * hop_length
    start = np.maximum(centre - frame_length // 2, 0)
    end = np.minimum(centre + frame_length - frame_length // 2, length)
    inside: NDArray[np.int64] = np.maximum(end - start, 0)
    return inside
