"""One song on its way through one model, block by block."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor

from soundforge_nb.audio.decode import Block, open_audio
from soundforge_nb.audio.mixture import Mixture, model_blocks
from soundforge_nb.audio.model_loading import LoadedModel
from soundforge_nb.audio.overlap_add import Lane, MixtureWindow, longest_shift
from soundforge_nb.audio.resample import regrouped
from soundforge_nb.audio.separation_options import SeparationOptions
from soundforge_nb.audio.stem_writer import StemWriter

#: Stems are handed on in pieces of this length.
BLOCK_SECONDS = 10

#: Called after each segment with how many are done and how many there are.
Progress = Callable[[int, int], None]


class Session:
    """One song, one model, one pass.

    Parameters
    ----------
    mixture : Mixture
        What the first pass found.
    seed : int
        For the shifts.
    expected : dict, optional
        ``size_bytes`` and ``mtime_ns`` the file must still have: it is read a second time here.
    """

    def __init__(
        self,
        path: str,
        model: LoadedModel,
        options: SeparationOptions,
        mixture: Mixture,
        device: torch.device,
        seed: int,
        progress: Progress,
        expected: dict[str, int] | None = None,
    ) -> None:
        self.path = path
        self._expected = expected
        self.model = model
        self.options = options
        self.mixture = mixture
        self._device = device
        self._seed = seed
        self._progress = progress
        self._steps = 0
        self._steps_done = 0

    @property
    def stem_names(self) -> list[str]:
        """What is written, in the model's order."""
        options = self.options
        if options.two_stems:
            return [options.two_stems, f"no_{options.two_stems}"]
        return [source for source in self.model.sources if options.stems is None or source in options.stems]

    @property
    def _needed(self) -> list[int]:
        """Which members of the bag have a part in the stems that are wanted.

        Each network of htdemucs_ft makes one stem: one stem alone takes a quarter of the time.
        """
        options, sources = self.options, self.model.sources
        wanted = [name for name in self.stem_names if name in sources]
        if options.two_stems and options.two_stems_method == "add":
            wanted = sources
        columns = [sources.index(name) for name in wanted]
        return [
            index for index, row in enumerate(self.model.weights) if any(row[column] for column in columns)
        ]

    def run(self, writers: dict[str, StemWriter]) -> float | None:
        """Separate and write block by block.

        Returns
        -------
        float or None
            The null residual in dB: the energy of the mixture minus the sum of all stems, over the energy of
            the mixture. None where the mixture is silent, or not all stems were computed.
        """
        residual = 0.0
        with open_audio(self.path, self._expected) as file:
            blocks = model_blocks(file, self.model.sample_rate_hz, self.model.channels)
            for mixture, stems in self._pairs(blocks):
                difference = mixture.to(torch.float64) - stems.sum(dim=0, dtype=torch.float64)
                residual += float((difference**2).sum())
                for name, writer in writers.items():
                    writer.write(self._stem(name, mixture, stems).T.contiguous().numpy())
        if self.mixture.silent or len(self._needed) < len(self.model.members):
            return None
        return 10 * math.log10(max(residual / self.mixture.energy, 1e-30))

    def _stem(self, name: str, mixture: Tensor, stems: Tensor) -> Tensor:
        sources = self.model.sources
        if name in sources:
            return stems[sources.index(name)]
        kept = sources.index(str(self.options.two_stems))
        if self.options.two_stems_method == "minus":
            return mixture - stems[kept]
        return stems[[index for index in range(len(sources)) if index != kept]].sum(dim=0)

    def _pairs(self, blocks: Iterator[Block]) -> Iterator[tuple[Tensor, Tensor]]:
        """Blocks of the mixture, shape (channels, n), with their stems, shape (sources, channels, n)."""
        mean, std = self.mixture.mean, self.mixture.std + 1e-8
        waiting: list[Tensor] = []

        def normalised() -> Iterator[Tensor]:
            for block in regrouped(blocks, BLOCK_SECONDS * self.model.sample_rate_hz):
                original = torch.from_numpy(np.ascontiguousarray(block.T))
                waiting.append(original)
                yield (original - mean) / std

        window = MixtureWindow(normalised(), self.model.channels, self.mixture.length)
        lanes = [] if self.mixture.silent else self._lanes(window)
        position = 0
        while position < self.mixture.length:
            samples = min(BLOCK_SECONDS * self.model.sample_rate_hz, self.mixture.length - position)
            stems = self._combined(lanes, samples)
            # Nobody has read this block yet where there are no lanes: silence needs none.
            window.read(position, position + samples)
            position += samples
            window.forget(min([position, *(lane.needed_from for _, lane in lanes)]))
            yield waiting.pop(0), stems * std + mean if lanes else stems

    def _lanes(self, window: MixtureWindow) -> list[tuple[int, Lane]]:
        # In Demucs' order: for each network, for each of its shifts.
        draw = random.Random(self._seed)  # noqa: S311 - nothing is secret here
        lanes = []
        for index, network in enumerate(self.model.members):
            shifts: list[int | None] = [
                draw.randint(0, longest_shift(network)) for _ in range(self.options.shifts)
            ]
            if index not in self._needed:
                continue
            network.to(self._device)
            for shift in shifts or [None]:
                lane = Lane(
                    network,
                    window,
                    shift=shift,
                    overlap=self.options.overlap,
                    segment_seconds=self.options.segment_seconds,
                    device=self._device,
                    done=self._step,
                )
                lanes.append((index, lane))
        self._steps = sum(lane.segments for _, lane in lanes)
        return lanes

    def _combined(self, lanes: list[tuple[int, Lane]], samples: int) -> Tensor:
        """The weighted mean of the networks, each the mean of its shifts, as Demucs' bags have it."""
        total = torch.zeros(len(self.model.sources), self.model.channels, samples)
        shifts = max(self.options.shifts, 1)
        for index in dict.fromkeys(index for index, _ in lanes):
            mean = sum(lane.take(samples) for of, lane in lanes if of == index) / shifts
            total += mean * torch.tensor(self.model.weights[index])[:, None, None]
        weights = torch.tensor(self.model.weights).sum(dim=0)[:, None, None]
        return total / weights

    def _step(self) -> None:
        self._steps_done += 1
        self._progress(self._steps_done, self._steps)
