"""Demucs' split-and-overlap, as a stream: the same sums in the same order, in bounded memory.

`demucs.apply.apply_model` holds the whole song and all its stems. Here a song passes through in blocks:
each network of the bag, at each shift, is a *lane*; a lane takes segments from a window of the mixture,
adds them up under Demucs' triangular weights, and gives out what no later segment touches any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from demucs.apply import TensorChunk, apply_model
from torch import Tensor


class MixtureWindow:
    """The part of the normalised mixture that is still needed; outside the song it is zero.

    Parameters
    ----------
    blocks : iterator of Tensor, shape=(channels, samples)
        The mixture, in order.
    length : int
        Samples in all.
    """

    def __init__(self, blocks: Iterator[Tensor], channels: int, length: int) -> None:
        self._blocks = blocks
        self._held = torch.zeros(channels, 0)
        self._start = 0
        self.length = length

    def read(self, start: int, end: int) -> Tensor:
        """Samples `start` to `end`, which may lie beyond the song, shape=(channels, end - start)."""
        first, last = max(start, 0), min(end, self.length)
        if last <= first:
            return torch.zeros(len(self._held), end - start)
        self._fill(last)
        inside = self._held[:, first - self._start : last - self._start]
        return torch.nn.functional.pad(inside, (first - start, end - last))

    def forget(self, before: int) -> None:
        """Let go of what lies before a sample."""
        count = min(max(before - self._start, 0), self._held.shape[1])
        self._held = self._held[:, count:].clone()
        self._start += count

    def _fill(self, end: int) -> None:
        pieces = [self._held]
        reached = self._start + self._held.shape[1]
        while reached < end:
            block = next(self._blocks)
            pieces.append(block)
            reached += block.shape[1]
        if len(pieces) > 1:
            self._held = torch.cat(pieces, dim=1)


class Lane:
    """One network, at one shift, on its way through the song.

    Parameters
    ----------
    network : torch.nn.Module
        A network of Demucs'.
    shift : int or None
        How far Demucs' random shift moves the song, in samples, 0 … `longest_shift`; None without shifts.
    segment_seconds : float or None
        Instead of the network's own.
    done : callable
        Called after each segment.
    """

    def __init__(
        self,
        network: Any,
        window: MixtureWindow,
        *,
        shift: int | None,
        overlap: float,
        segment_seconds: float | None,
        device: torch.device,
        done: Callable[[], None],
    ) -> None:
        self._network = network
        self._window = window
        self._device = device
        self._done = done
        self._segment_seconds = segment_seconds
        # A shifted song starts with silence: `origin` is where in the mixture the lane's first sample lies.
        self._origin = 0 if shift is None else shift - longest_shift(network)
        self._length = window.length - self._origin
        self._segment = segment_samples(network, segment_seconds)
        self._stride = int((1 - overlap) * self._segment)
        self._weight = _triangle(self._segment)
        self._next = 0
        self._sum = torch.zeros(len(network.sources), network.audio_channels, 0)
        self._weight_sum = torch.zeros(0)
        self._ready: list[Tensor] = []
        self._ready_samples = 0
        self._to_drop = -self._origin

    @property
    def segments(self) -> int:
        """How many segments the whole song takes."""
        return len(range(0, self._length, self._stride))

    @property
    def needed_from(self) -> int:
        """The first sample of the mixture that a later segment may still read."""
        return self._origin + self._next - self._segment

    def take(self, samples: int) -> Tensor:
        """The next `samples` of the stems, shape=(sources, channels, samples)."""
        while self._ready_samples < samples:
            self._step()
        joined = torch.cat(self._ready, dim=-1)
        self._ready = [joined[..., samples:]]
        self._ready_samples -= samples
        return joined[..., :samples]

    def _step(self) -> None:
        offset = self._next
        length = min(self._segment, self._length - offset)
        self._add(self._separate(offset, length), length)
        self._next = offset + self._stride
        last = self._next >= self._length
        final = self._sum.shape[-1] if last else self._stride
        self._give(self._sum[..., :final] / self._weight_sum[:final])
        self._sum = self._sum[..., final:].clone()
        self._weight_sum = self._weight_sum[final:].clone()
        self._done()

    def _separate(self, offset: int, length: int) -> Tensor:
        # With room on both sides: Demucs fills a segment that is too short with what lies around it.
        start = self._origin + offset
        room = self._segment
        around = self._window.read(start - room, start + length + room)
        chunk = TensorChunk(around[None], room, length)
        stems: Tensor = apply_model(
            self._network,
            chunk,
            shifts=0,
            split=False,
            device=self._device,
            segment=self._segment_seconds,
        )
        return stems[0].to("cpu")

    def _add(self, stems: Tensor, length: int) -> None:
        grow = length - self._sum.shape[-1]
        if grow > 0:
            self._sum = torch.nn.functional.pad(self._sum, (0, grow))
            self._weight_sum = torch.nn.functional.pad(self._weight_sum, (0, grow))
        self._sum[..., :length] += self._weight[:length] * stems
        self._weight_sum[:length] += self._weight[:length]

    def _give(self, stems: Tensor) -> None:
        drop = min(self._to_drop, stems.shape[-1])
        self._to_drop -= drop
        self._ready.append(stems[..., drop:])
        self._ready_samples += stems.shape[-1] - drop


def longest_shift(network: Any) -> int:
    """Half a second, in samples: as far as Demucs shifts a song."""
    return int(0.5 * network.samplerate)


def segment_samples(network: Any, segment_seconds: float | None) -> int:
    """The length of a segment."""
    seconds = network.segment if segment_seconds is None else segment_seconds
    return int(network.samplerate * seconds)


def _triangle(length: int) -> Tensor:
    rising = torch.arange(1, length // 2 + 1)
    falling = torch.arange(length - length // 2, 0, -1)
    weight = torch.cat([rising, falling])
    return weight / weight.max()
