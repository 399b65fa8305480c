import json
import random
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import demucs.apply
import numpy as np
import pytest
import soundfile
import torch
from demucs.apply import BagOfModels, apply_model
from demucs.demucs import Demucs
from demucs.hdemucs import HDemucs
from demucs.htdemucs import HTDemucs
from tiny_models import SOURCES, network, save_pickle, save_safetensors

from soundforge_nb.audio import disk_space, separation, separation_session
from soundforge_nb.audio.separation import separate
from soundforge_nb.audio.separation_options import SeparationOptions
from soundforge_nb.audio.stem_writer import FORMATS, StemWriter
from soundforge_nb.errors import DiskError, InputError, UsageError

RATE = 44_100


def noise(seconds: float, channels: int = 2, level: float = 0.1) -> np.ndarray:
    rng = np.random.default_rng(0)
    return (level * rng.standard_normal((int(seconds * RATE), channels))).astype(np.float32)


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    for number in range(4):
        save_safetensors(folder, f"part{number}", seed=number)
    save_pickle(folder, "hybrid", HDemucs)
    save_pickle(folder, "waveform", Demucs)
    names = "[part0, part1, part2, part3]"
    (folder / "mean.yaml").write_text("models: [part0, part1]\nweights: [[1, 2, 1, 0.5], [1, 1, 0, 3]]\n")
    (folder / "tuned.yaml").write_text(f"models: {names}\nweights: {np.eye(4).tolist()}\n")
    return folder


class Run:
    """One separation in a folder of its own."""

    def __init__(self, folder: Path, models: Path, y: np.ndarray, rate: int = RATE, **options: Any) -> None:
        self.song = folder / "song.wav"
        soundfile.write(self.song, y, rate, subtype="FLOAT")
        self.folder = folder / "stems"
        self.progress: list[int] = []
        request = {"model": "part0", "model_folder": str(models), "shifts": 0, "device": "cpu"} | options
        result = separate(
            str(self.song),
            str(self.folder),
            SeparationOptions.from_json(request),
            report=lambda percent, message: self.progress.append(percent),
        )
        self.result: dict[str, Any] = json.loads(json.dumps(result, allow_nan=False))

    def stem(self, name: str) -> np.ndarray:
        entry = next(stem for stem in self.result["stems"] if stem["stem"] == name)
        return soundfile.read(self.folder / entry["file"], dtype="float32", always_2d=True)[0]


def by_demucs(model: Any, y: np.ndarray, *, seed: int = 0, **options: Any) -> np.ndarray:
    """The stems as `demucs.api.Separator` makes them, shape=(sources, samples, channels)."""
    wav = torch.from_numpy(y.T.copy())
    mean, std = wav.mean(0).mean(), wav.mean(0).std() + 1e-8
    with pytest.MonkeyPatch.context() as patch:
        # Its own source of shifts: the networks take numbers from the common one too.
        patch.setattr(demucs.apply, "random", random.Random(seed))
        stems = apply_model(model, ((wav - mean) / std)[None], device="cpu", **options)[0]
    return (stems * std + mean).permute(0, 2, 1).numpy()


def db(truth: np.ndarray, found: np.ndarray) -> float:
    return float(10 * np.log10(np.sum(truth**2) / max(np.sum((truth - found) ** 2), 1e-30)))


@pytest.mark.parametrize(
    "options",
    [
        {"shifts": 0},
        {"shifts": 2},
        {"shifts": 0, "overlap": 0.6},
        {"shifts": 1, "overlap": 0.0, "segment": 0.7},
    ],
)
@pytest.mark.parametrize(("name", "kind"), [("part0", HTDemucs), ("hybrid", HDemucs), ("waveform", Demucs)])
def test_the_stems_are_those_of_demucs(
    tmp_path: Path,
    models: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    kind: type,
    options: dict[str, Any],
) -> None:
    # Blocks shorter than a segment, so that every border that a long song has is here too.
    monkeypatch.setattr(separation_session, "BLOCK_SECONDS", 1)
    y = noise(2.6)
    ours = {"segment_seconds" if key == "segment" else key: value for key, value in options.items()}
    run = Run(tmp_path, models, y, model=name, seed=5, **ours)
    expected = by_demucs(network(kind)[0], y, seed=5, **options)
    for source, truth in zip(SOURCES, expected, strict=True):
        assert db(truth, run.stem(source)) > 90
    residual = np.sum((y - expected.sum(axis=0)) ** 2) / np.sum(y**2)
    assert run.result["null_residual_db"] == pytest.approx(10 * np.log10(residual), abs=0.01)


def test_a_bag_is_weighted_as_demucs_does(tmp_path: Path, models: Path) -> None:
    y = noise(2.5)
    run = Run(tmp_path, models, y, model="mean", shifts=1, seed=3)
    bag = BagOfModels([network(seed=seed)[0] for seed in (0, 1)], [[1, 2, 1, 0.5], [1, 1, 0, 3]])
    for source, truth in zip(SOURCES, by_demucs(bag, y, seed=3, shifts=1), strict=True):
        assert db(truth, run.stem(source)) > 90
    assert run.result["model"]["bag"] == 2


def test_a_bag_of_tuned_networks_runs_only_those_that_are_needed(tmp_path: Path, models: Path) -> None:
    y = noise(2.5)
    (tmp_path / "all").mkdir()
    whole = Run(tmp_path / "all", models, y, model="tuned", shifts=1, seed=3)
    one = Run(tmp_path, models, y, model="tuned", shifts=1, seed=3, stems=["other"])
    assert [stem["stem"] for stem in one.result["stems"]] == ["other"]
    assert np.array_equal(one.stem("other"), whole.stem("other"))
    assert whole.result["null_residual_db"] is not None
    assert one.result["null_residual_db"] is None
    assert one.result["model"]["sha256"] == whole.result["model"]["sha256"]


@pytest.mark.parametrize("samples", [1, 441, 20_000, RATE])
def test_short_songs(tmp_path: Path, models: Path, samples: int) -> None:
    run = Run(tmp_path, models, noise(2.0)[:samples], shifts=1)
    assert run.stem("vocals").shape == (samples, 2)
    assert np.isfinite(run.stem("vocals")).all()


def test_silence_gives_silence(tmp_path: Path, models: Path) -> None:
    run = Run(tmp_path, models, np.zeros((2 * RATE, 2), np.float32))
    assert not any(run.stem(source).any() for source in SOURCES)
    assert run.result["null_residual_db"] is None


def test_mono_is_given_to_both_sides(tmp_path: Path, models: Path) -> None:
    y = noise(1.5, channels=1)
    run = Run(tmp_path, models, y)
    expected = by_demucs(network()[0], np.repeat(y, 2, axis=1), shifts=0)
    assert db(expected[1], run.stem("bass")) > 90


def test_of_surround_sound_the_first_two_channels_are_taken(tmp_path: Path, models: Path) -> None:
    y = noise(1.2, channels=6)
    run = Run(tmp_path, models, y)
    expected = by_demucs(network()[0], np.ascontiguousarray(y[:, :2]), shifts=0)
    assert db(expected[0], run.stem("drums")) > 90
    assert run.result["audio"]["channels"] == 6


@pytest.mark.parametrize("rate", [8_000, 48_000, 192_000])
def test_other_rates_are_converted_to_the_models(tmp_path: Path, models: Path, rate: int) -> None:
    t = np.arange(rate) / rate
    run = Run(tmp_path, models, np.stack([0.3 * np.sin(2 * np.pi * 300 * t)] * 2, axis=1), rate=rate)
    assert run.stem("other").shape == (RATE, 2)
    assert run.result["stems"][0]["sample_rate_hz"] == RATE
    assert run.result["audio"]["sample_rate_hz"] == rate


@pytest.mark.parametrize("method", ["minus", "add"])
def test_two_stems(tmp_path: Path, models: Path, method: str) -> None:
    y = noise(1.5)
    run = Run(tmp_path, models, y, two_stems="bass", two_stems_method=method)
    assert [stem["file"] for stem in run.result["stems"]] == ["bass.wav", "no_bass.wav"]
    stems = by_demucs(network()[0], y, shifts=0)
    expected = y - stems[1] if method == "minus" else stems[[0, 2, 3]].sum(axis=0)
    assert db(expected, run.stem("no_bass")) > 90
    if method == "minus":
        assert np.allclose(run.stem("bass") + run.stem("no_bass"), y, atol=1e-6)


@pytest.mark.parametrize(
    ("format", "least_db"), [("wav_float32", 120), ("wav_int24", 90), ("flac", 90), ("mp3", 10)]
)
def test_formats(tmp_path: Path, models: Path, format: str, least_db: float) -> None:
    y = noise(1.5, level=0.3)
    run = Run(tmp_path, models, y, format=format)
    expected = by_demucs(network()[0], y, shifts=0)
    for entry, truth in zip(run.result["stems"], expected, strict=True):
        file = run.folder / entry["file"]
        assert entry["format"] == format
        assert entry["bytes"] == file.stat().st_size
        assert db(truth, run.stem(entry["stem"])) > least_db
        assert entry["peak"] == pytest.approx(float(np.abs(truth).max()), rel=1e-3)
        assert entry["rms"] == pytest.approx(float(np.sqrt(np.mean(truth**2))), rel=1e-3)
    assert not list(run.folder.glob("*.part"))


def test_integer_formats_clamp_and_say_so(tmp_path: Path, models: Path) -> None:
    y = noise(1.2, level=0.9) * 4
    kept = Run(tmp_path, models, y, two_stems="bass", format="wav_float32").stem("no_bass")
    assert np.abs(kept).max() > 1
    clamped = Run(tmp_path, models, y, two_stems="bass", format="wav_int24")
    entry = clamped.result["stems"][1]
    assert entry["clipped_samples"] == np.count_nonzero(np.abs(kept) > 1)
    assert np.allclose(clamped.stem("no_bass"), np.clip(kept, -1, 1), atol=1e-6)


def test_a_seed_makes_the_same_bytes_and_none_is_recorded(tmp_path: Path, models: Path) -> None:
    y = noise(1.5)
    first = Run(tmp_path, models, y, shifts=1, seed=7).result["stems"]
    assert first == Run(tmp_path, models, y, shifts=1, seed=7).result["stems"]
    free = Run(tmp_path, models, y, shifts=1)
    assert first != free.result["stems"]
    again = Run(tmp_path, models, y, shifts=1, seed=free.result["seed"])
    assert again.result["stems"] == free.result["stems"]


def test_progress_counts_segments_shifts_and_members(tmp_path: Path, models: Path) -> None:
    run = Run(tmp_path, models, noise(3.0), model="mean", shifts=2)
    assert run.progress == sorted(run.progress)
    assert len(set(run.progress)) > 20
    assert run.progress[0] == 1
    assert run.progress[-1] == 96


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"stems": ["guitar"]}, "drums, bass, other, vocals"),
        ({"stems": []}, "none was asked for"),
        ({"two_stems": "guitar"}, "'guitar'"),
        ({"segment_seconds": 1.5}, "at most 1 seconds"),
        ({"segment_seconds": -1}, "segment_seconds"),
        ({"overlap": 1.0}, "overlap"),
        ({"shifts": -1}, "shifts"),
        ({"shifts": "two"}, "wrong type"),
        ({"format": "wma"}, "wav_float32"),
        ({"device": "abacus"}, "cuda"),
        ({"device": "cuda:99"}, "no device"),
        ({"two_stems_method": "divide"}, "minus or add"),
        ({"two_stems": "bass", "stems": ["bass"]}, "one of them"),
        ({"model": "nonsense"}, "htdemucs_ft"),
    ],
)
def test_wrong_options_are_told_with_the_right_ones(
    tmp_path: Path, models: Path, options: dict[str, Any], words: str
) -> None:
    with pytest.raises(UsageError) as caught:
        Run(tmp_path, models, noise(0.2), **options)
    assert words in str(caught.value)


def test_a_full_disk_is_seen_before_the_work_starts(
    tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk_space.shutil, "disk_usage", lambda folder: SimpleNamespace(free=1_000_000))
    monkeypatch.setattr(disk_space, "SPARE_BYTES", 0)
    with pytest.raises(DiskError) as caught:
        Run(tmp_path, models, noise(2))
    error = caught.value
    assert (error.kind, error.retryable) == ("disk_full", False)
    assert error.details["needed_bytes"] == 2 * RATE * 2 * 4 * 4
    assert "song.wav do not fit" in error.message
    assert "3 MB are needed, 1 MB are free" in error.message
    # Half of the stems in half of the bytes do fit.
    (tmp_path / "smaller").mkdir()
    assert Run(tmp_path / "smaller", models, noise(2), stems=["bass"], format="flac").result["stems"]


def test_a_disk_that_becomes_full_under_way_is_said_and_left_clean(
    tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(self: soundfile.SoundFile, block: np.ndarray) -> None:
        # As libsndfile has it: without a word of why.
        monkeypatch.setattr(disk_space.shutil, "disk_usage", lambda folder: SimpleNamespace(free=0))
        raise soundfile.LibsndfileError(2)

    with monkeypatch.context() as patched:
        patched.setattr(soundfile.SoundFile, "write", fails)
        (tmp_path / "song.wav").touch()
        with pytest.raises(DiskError) as caught:
            StemWriter(tmp_path, "bass", FORMATS["flac"], RATE, 2, 10, "song.wav").write(noise(0.1))
    assert (caught.value.kind, caught.value.retryable) == ("disk_full", True)
    assert "became full while the stems of song.wav were written" in caught.value.message


def test_a_folder_that_can_not_be_written_is_said(tmp_path: Path, models: Path) -> None:
    (tmp_path / "stems").touch()
    with pytest.raises(DiskError) as caught:
        Run(tmp_path, models, noise(0.2))
    assert (caught.value.kind, caught.value.retryable) == ("not_writable", False)
    assert str(tmp_path / "stems") in caught.value.message


def test_a_file_that_changes_between_its_two_readings_is_refused(
    tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    surveyed = separation.survey

    def survey(path: str, *arguments: Any) -> Any:
        found = surveyed(path, *arguments)
        soundfile.write(path, noise(0.1), RATE, subtype="FLOAT")
        return found

    monkeypatch.setattr(separation, "survey", survey)
    with pytest.raises(InputError) as caught:
        Run(tmp_path, models, noise(1.2))
    assert caught.value.kind == "changed"
    assert list((tmp_path / "stems").iterdir()) == []


def test_a_failure_leaves_no_half_written_stem(
    tmp_path: Path, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(self: object, *arguments: object) -> None:
        raise MemoryError

    monkeypatch.setattr(separation_session.Lane, "take", fails)
    with pytest.raises(MemoryError):
        Run(tmp_path, models, noise(1.2))
    assert list((tmp_path / "stems").iterdir()) == []
