"""Separation: a song in, stems out, whatever its length, in bounded memory.

The stems are those of ``python -m demucs`` with the same model; `soundforge_nb.audio.overlap_add` says how.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from soundforge_nb.audio import model_registry
from soundforge_nb.audio.decode import Block, open_audio
from soundforge_nb.audio.mixture import Mixture, model_blocks, survey
from soundforge_nb.audio.model_loading import LoadedModel, load_model
from soundforge_nb.audio.overlap_add import Lane, MixtureWindow, longest_shift
from soundforge_nb.audio.resample import regrouped
from soundforge_nb.audio.separation_options import SeparationOptions
from soundforge_nb.audio.stem_writer import StemWriter
from soundforge_nb.audio.weights import find_model
from soundforge_nb.errors import UsageError

#: Raised whenever the same file, model and options would give other stems.
SEPARATION_VERSION = 1

#: Stems are handed on in pieces of this length.
BLOCK_SECONDS = 10
#: Which percents each phase takes.
_LOAD, _SURVEY, _SEPARATE, _WRITE = (1, 6), (6, 10), (10, 96), (96, 100)

Report = Callable[[int, str], None]


def separate(
    path: str,
    output_folder: str,
    options: SeparationOptions,
    *,
    expected: dict[str, int] | None = None,
    report: Report = lambda percent, message: None,
) -> dict[str, Any]:
    """Separate a song into stems.

    Parameters
    ----------
    path : str
        A sound file of any known format.
    output_folder : str
        Where the stems go; files of the same names are replaced when the new ones are whole.
    expected : dict, optional
        ``size_bytes`` and ``mtime_ns`` the file must have.
    report : callable
        ``report(percent, message)``.

    Returns
    -------
    dict
        ``stems``, ``model``, ``null_residual_db``, ``device``, ``audio``, ``seconds``, ``seed`` and
        ``code_version``.

    Raises
    ------
    InputError, UsageError, ModelUnavailable
    """
    clock = _Clock()
    device = choose_device(options.device)
    report(_LOAD[0], f"Loading the model {options.model}")
    model = load_model(
        find_model(options.model, options.model_folder, lambda message: report(_LOAD[0] + 1, message))
    )
    _check(options, model)
    clock.lap("load")
    mixture = survey(
        path,
        model.sample_rate_hz,
        model.channels,
        expected,
        lambda share: report(_percent(_SURVEY, share), "Reading the file"),
    )
    seed = random.SystemRandom().randrange(1 << 31) if options.seed is None else options.seed
    folder = Path(output_folder)
    folder.mkdir(parents=True, exist_ok=True)
    session = _Session(path, model, options, mixture, device, seed, report)
    with ExitStack() as writers:
        stems = _open_writers(session, folder, writers)
        residual = session.run(stems)
        clock.lap("separate")
        report(_WRITE[0], "Writing the stems")
        written = [writer.finish() for writer in stems.values()]
    clock.lap("write")
    return {
        "stems": written,
        "model": describe(model),
        "null_residual_db": residual,
        "device": str(device),
        "audio": mixture.audio,
        "seconds": clock.seconds,
        "seed": seed,
        "code_version": SEPARATION_VERSION,
    }


def describe(model: LoadedModel) -> dict[str, Any]:
    """The ``model`` part of the result."""
    return {
        "name": model.name,
        "sha256": model.sha256,
        "sources": model.sources,
        "sample_rate_hz": model.sample_rate_hz,
        "licence": model_registry.licence_of(model.name),
        "parameters": model.parameters,
        "bag": len(model.members),
    }


def choose_device(name: str) -> torch.device:
    """The device to compute on; "auto" takes the fastest there is.

    Raises
    ------
    UsageError
        This machine has no such device.
    """
    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto":
        return torch.device(next(device for device, is_there in there.items() if is_there))
    base, _, number = name.partition(":")
    if not there[base] or (base == "cuda" and number and int(number) >= torch.cuda.device_count()):
        raise UsageError(
            f"This machine has no device {name}.",
            f"Choose from auto, {', '.join(device for device, is_there in there.items() if is_there)}.",
        )
    return torch.device(name)


def _check(options: SeparationOptions, model: LoadedModel) -> None:
    options.check_sources(model.sources)
    longest = model.longest_segment_seconds
    if options.segment_seconds is not None and options.segment_seconds > longest:
        raise UsageError(
            f"The model {model.name} takes segments of at most {longest:g} seconds, "
            f"not {options.segment_seconds:g}: it has a transformer trained on that length.",
            f"Give segment_seconds up to {longest:g}, or none.",
        )


def _open_writers(session: _Session, folder: Path, stack: ExitStack) -> dict[str, StemWriter]:
    writers = {}
    for stem in session.stem_names:
        writers[stem] = StemWriter(
            folder,
            stem,
            session.options.format,
            session.model.sample_rate_hz,
            session.model.channels,
            session.mixture.length,
        )
        stack.callback(writers[stem].discard)
    return writers


class _Clock:
    """Seconds of each phase."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._start = time.monotonic()

    def lap(self, name: str) -> None:
        now = time.monotonic()
        self.seconds[name] = round(now - self._start, 3)
        self._start = now


class _Session:
    """One song on its way through one model."""

    def __init__(
        self,
        path: str,
        model: LoadedModel,
        options: SeparationOptions,
        mixture: Mixture,
        device: torch.device,
        seed: int,
        report: Report,
    ) -> None:
        self.path = path
        self.model = model
        self.options = options
        self.mixture = mixture
        self._device = device
        self._seed = seed
        self._report = report
        self._steps = 0
        self._steps_done = 0

    @property
    def stem_names(self) -> list[str]:
        """What is written, in the model's order."""
        options = self.options
        if options.two_stems:
            return [options.two_stems, f"no_{options.two_stems}"]
        return [source for source in self.model.sources if options.stems is None or source in options.stems]

    def run(self, writers: dict[str, StemWriter]) -> float | None:
        """Separate and write block by block; gives back the null residual in dB."""
        residual = 0.0
        with open_audio(self.path) as file:
            blocks = model_blocks(file, self.model.sample_rate_hz, self.model.channels)
            for mixture, stems in self._pairs(blocks):
                difference = mixture.to(torch.float64) - stems.sum(dim=0, dtype=torch.float64)
                residual += float((difference**2).sum())
                for name, writer in writers.items():
                    writer.write(self._stem(name, mixture, stems).T.contiguous().numpy())
        if self.mixture.silent:
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
        # Demucs draws the shifts in this order: with the same seed they are the same.
        draw = random.Random(self._seed)  # noqa: S311 - nothing is secret here
        lanes = []
        for index, network in enumerate(self.model.members):
            shifts: list[int | None] = [
                draw.randint(0, longest_shift(network)) for _ in range(self.options.shifts)
            ]
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
        share = self._steps_done / max(self._steps, 1)
        message = f"Separating (segment {self._steps_done}/{self._steps})"
        self._report(_percent(_SEPARATE, share), message)


def _percent(phase: tuple[int, int], share: float) -> int:
    return int(phase[0] + (phase[1] - phase[0]) * share)
