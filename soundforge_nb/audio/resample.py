"""Blocks of one rate and channel count from blocks of another, without holding the whole file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import soxr

from soundforge_nb.audio.decode import Block


def mono(blocks: Iterable[Block]) -> Iterator[Block]:
    """The mean of the channels, as blocks of shape ``(samples, 1)``."""
    for block in blocks:
        yield block if block.shape[1] == 1 else block.mean(axis=1, keepdims=True, dtype=np.float32)


def resampled(
    blocks: Iterable[Block], from_hz: int, to_hz: int, channels: int, quality: str = "HQ"
) -> Iterator[Block]:
    """Blocks at another rate; their sum of lengths is the input's times ``to_hz / from_hz``, rounded.

    Parameters
    ----------
    blocks : iterable of ndarray, shape=(samples, channels)
    quality : str
        soxr's name: "HQ" passes 20 bits, "VHQ" passes 28.
    """
    if from_hz == to_hz:
        yield from blocks
        return
    stream = soxr.ResampleStream(from_hz, to_hz, channels, dtype="float32", quality=quality)
    for block in blocks:
        converted = stream.resample_chunk(np.ascontiguousarray(block), last=False)
        if len(converted):
            yield converted.reshape(-1, channels)
    rest = stream.resample_chunk(np.zeros((0, channels), np.float32), last=True)
    if len(rest):
        yield rest.reshape(-1, channels)


def regrouped(blocks: Iterable[Block], samples: int) -> Iterator[Block]:
    """The same samples in blocks of exactly `samples`, the last one shorter."""
    held: list[Block] = []
    count = 0
    for block in blocks:
        held.append(block)
        count += len(block)
        if count < samples:
            continue
        joined = np.concatenate(held)
        whole = count - count % samples
        for start in range(0, whole, samples):
            yield joined[start : start + samples]
        held, count = [joined[whole:]], count - whole
    if count:
        yield np.concatenate(held)
