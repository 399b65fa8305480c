"""Separation: a song in, stems out, whatever its length, in bounded memory.

The stems are those of ``python -m demucs`` with the same model; `soundforge_nb.audio.overlap_add` says how.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch

from soundforge_nb.audio import model_registry
from soundforge_nb.audio.disk_space import check_room, write_error
from soundforge_nb.audio.faults import check_file
from soundforge_nb.audio.mixture import Mixture, survey
from soundforge_nb.audio.model_loading import LoadedModel, load_model
from soundforge_nb.audio.separation_options import SeparationOptions
from soundforge_nb.audio.separation_session import Session
from soundforge_nb.audio.stem_writer import StemWriter
from soundforge_nb.audio.weights import find_model
from soundforge_nb.errors import UsageError

#: Raised whenever the same file, model and options would give other stems.
SEPARATION_VERSION = 1

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
    InputError, UsageError, ModelUnavailable, DiskError
    """
    clock = _Clock()
    device = choose_device(options.device)
    report(_LOAD[0], f"Loading the model {options.model}")
    model = load_model(
        find_model(options.model, options.model_folder, lambda message: report(_LOAD[0] + 1, message))
    )
    _check(options, model)
    clock.lap("load")
    stamp = expected or _stamp(path)
    mixture = survey(
        path,
        model.sample_rate_hz,
        model.channels,
        stamp,
        lambda share: report(_percent(_SURVEY, share), "Reading the file"),
    )
    seed = random.SystemRandom().randrange(1 << 31) if options.seed is None else options.seed
    folder = _made(Path(output_folder), path)
    check_room(folder, _stem_bytes(options, model, mixture), path)
    session = Session(
        path,
        model,
        options,
        mixture,
        device,
        seed,
        lambda done, of: report(_percent(_SEPARATE, done / of), f"Separating (segment {done}/{of})"),
        stamp,
    )
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


def _stamp(path: str) -> dict[str, int]:
    status = check_file(path)
    return {"size_bytes": status.st_size, "mtime_ns": status.st_mtime_ns}


def _made(folder: Path, path: str) -> Path:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(error, folder / "stems", path) from error
    return folder


def _stem_bytes(options: SeparationOptions, model: LoadedModel, mixture: Mixture) -> float:
    """What will be written; of compressed formats an estimate."""
    stems = 2 if options.two_stems else len(options.stems or model.sources)
    return stems * mixture.length * model.channels * options.format.bytes_per_sample


def _open_writers(session: Session, folder: Path, stack: ExitStack) -> dict[str, StemWriter]:
    writers = {}
    for stem in session.stem_names:
        writers[stem] = StemWriter(
            folder,
            stem,
            session.options.format,
            session.model.sample_rate_hz,
            session.model.channels,
            session.mixture.length,
            session.path,
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


def _percent(phase: tuple[int, int], share: float) -> int:
    return int(phase[0] + (phase[1] - phase[0]) * share)
