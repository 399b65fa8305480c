"""The demo: a song that ships with the package, taken through the whole house."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import soundfile

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from soundforge_nb.forge.batch import Batch
    from soundforge_nb.forge.forge import Forge

MODEL = "demo"


def demo_song(folder: Path) -> Path:
    """Write the demo song (CC0) into `folder`, where it is not there yet; returns its file.

    It ships as its stems, and the song is their sum: so its true stems are known.
    """
    file = folder / f"{_card()['title']}.wav"
    if file.exists():
        return file
    stems = true_stems()
    sample_rate_hz = next(iter(stems.values()))[1]
    mixture = np.sum([samples for samples, _ in stems.values()], axis=0)
    folder.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(".part")
    soundfile.write(part, mixture, sample_rate_hz, format="WAV", subtype="FLOAT")
    part.replace(file)
    return file


def true_stems() -> dict[str, tuple[NDArray[np.float32], int]]:
    """The demo song's own stems: samples of shape ``(samples, channels)`` and the rate in Hz, by name."""
    folder = resources.files("soundforge_nb").joinpath("audio", "demo_song")
    stems = {}
    for name, entry in _card()["stems"].items():
        with folder.joinpath(entry["file"]).open("rb") as stream:
            stems[name] = soundfile.read(stream, dtype="float32", always_2d=True)
    return stems


def sdr_db(estimate: NDArray[np.float32], truth: NDArray[np.float32]) -> float:
    """Signal-to-distortion ratio of a whole stem in dB: 10 log10(‖s‖² / ‖s − ŝ‖²).

    The "new SDR" of the Music Demixing Challenge 2021 (Mitsufuji et al., 2022), which Demucs reports.

    >>> round(sdr_db(np.array([0.9, 0.9]), np.array([1.0, 1.0])), 1)
    20.0
    """
    length = min(len(estimate), len(truth))
    error = truth[:length].astype(np.float64) - estimate[:length]
    energy = np.sum(truth[:length].astype(np.float64) ** 2)
    return float(10 * np.log10((energy + 1e-12) / (np.sum(error**2) + 1e-12)))


def run_demo(forge: Forge, output_folder: Path) -> tuple[Batch, pd.DataFrame]:
    """The main job on the demo song; returns its batch and a table with the SDR of each stem."""
    tracks = forge.add(demo_song(forge.config.cache_folder / "demo"))
    batch = forge.process(tracks, separate=MODEL, analyze="all", output_folder=output_folder)
    batch.wait(progress=True)
    if not batch.ok:
        return batch, _table({}, {})
    forge.plot(tracks[0]).savefig(output_folder / "track.png", dpi=110)
    (row,) = batch.results().to_dict("records")
    return batch, _table(
        row["stems"], {stem["stem"]: stem for stem in forge.call("stems", track_id=row["track_id"])}
    )


def _table(files: Mapping[str, str], rows: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    import pandas as pd

    truths = true_stems()
    mixture = np.sum([samples for samples, _ in truths.values()], axis=0)
    table = []
    for name, file in files.items():
        truth = truths[name][0]
        estimate, _ = soundfile.read(file, dtype="float32", always_2d=True)
        table.append(
            {
                "stem": name,
                "SDR (dB)": sdr_db(estimate, truth),
                "mixture as it is (dB)": sdr_db(mixture, truth),
                "peak": rows[name]["peak"],
                "file": Path(file).name,
            }
        )
    return pd.DataFrame(table)


def _card() -> dict[str, Any]:
    text = resources.files("soundforge_nb").joinpath("audio", "demo_song", "song.json").read_text("utf-8")
    card: dict[str, Any] = json.loads(text)
    return card
