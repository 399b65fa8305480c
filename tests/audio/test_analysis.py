import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from songs import Song, play

from soundforge_nb.audio import analysis
from soundforge_nb.audio.analysis import FEATURES, analyze
from soundforge_nb.errors import UsageError

RATE = 44_100


def analysis_of(folder: Path, y: np.ndarray, features: Any = "all", rate: int = RATE) -> dict[str, Any]:
    file = folder / "song.wav"
    soundfile.write(file, y, rate, subtype="FLOAT")
    result = analyze(str(file), features)
    # As it will travel: no NaN anywhere.
    return json.loads(json.dumps(result, allow_nan=False))


def tone(seconds: float, hz: float = 1000.0, rate: int = RATE) -> np.ndarray:
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(int(seconds * rate)) / rate)).astype(np.float32)


def test_a_song_is_measured_in_full(tmp_path: Path) -> None:
    song = Song(tonic=2, mode="minor", bpm=104, seconds=12, progression=1, timbre="organ")
    result = analysis_of(tmp_path, play(song), rate=22_050)
    columns = result["columns"]
    assert columns["key"] == "D minor"
    assert columns["tempo"] == pytest.approx(104, rel=0.003)
    assert all(value is not None for value in columns.values())
    features = result["features"]
    assert tuple(features) == FEATURES
    assert len(features["mfcc"]["mean"]) == len(features["mfcc"]["std"]) == 13
    assert len(features["chroma"]["mean"]) == 12
    assert len(features["spectral"]["contrast"]["mean"]) == 7
    for name in ("waveform", "onset_strength", "chroma", "rms", "spectral_centroid"):
        assert 100 < len(result["curves"][name]["times_seconds"]) <= 1000, name
    assert len(json.dumps(result)) < 250_000


@pytest.mark.parametrize("seconds", [0.01, 0.1, 1.0, 5.0])
def test_the_numbers_of_a_tone_of_any_length(tmp_path: Path, seconds: float) -> None:
    result = analysis_of(tmp_path, tone(seconds))
    columns = result["columns"]
    assert columns["energy"] == pytest.approx(0.5 / math.sqrt(2), rel=0.05)
    # A short tone is a wide one: its sudden ends sound too.
    width = 0.1 if seconds >= 1 else 0.25
    assert columns["spectral_centroid"] == pytest.approx(1000, rel=width)
    assert columns["spectral_rolloff"] == pytest.approx(1000, rel=1.6 * width)
    assert columns["zero_crossing_rate"] == pytest.approx(2 * 1000 / 22_050, rel=0.1)
    assert columns["tempo"] is None
    assert result["audio"]["duration_seconds"] == pytest.approx(seconds)


def test_silence_is_a_right_result(tmp_path: Path) -> None:
    result = analysis_of(tmp_path, np.zeros((RATE, 2)))
    columns = result["columns"]
    assert (columns["energy"], columns["zero_crossing_rate"]) == (0.0, 0.0)
    assert columns["tempo"] is columns["key"] is columns["spectral_centroid"] is None
    assert result["features"]["tempo"]["beats_seconds"] == []


def test_a_single_sample_is_a_right_result(tmp_path: Path) -> None:
    assert analysis_of(tmp_path, np.array([0.5]))["columns"]["key"] is None


def test_only_what_was_asked_for(tmp_path: Path) -> None:
    result = analysis_of(tmp_path, tone(1.0), ["energy", "key"])
    assert list(result["features"]) == ["key", "energy"]
    assert result["columns"]["spectral_centroid"] is None
    assert set(result["curves"]) == {"waveform", "rms"}


@pytest.mark.parametrize("asked", [["mood"], []])
def test_unknown_features_are_refused_with_the_known_ones(tmp_path: Path, asked: list[str]) -> None:
    with pytest.raises(UsageError, match="tempo, key, energy"):
        analysis_of(tmp_path, tone(0.1), asked)


def test_a_file_in_blocks_gives_the_numbers_of_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    y = play(Song(seconds=14))
    whole = analysis_of(tmp_path, y, rate=22_050)
    monkeypatch.setattr(analysis, "BLOCK_SECONDS", 1)
    pieces = analysis_of(tmp_path, y, rate=22_050)
    assert pieces["columns"]["key"] == whole["columns"]["key"]
    for name in ("tempo", "energy", "spectral_centroid", "spectral_rolloff", "zero_crossing_rate"):
        assert pieces["columns"][name] == pytest.approx(whole["columns"][name], rel=1e-4), name
    mfcc = [result["features"]["mfcc"]["mean"] for result in (whole, pieces)]
    assert np.allclose(*mfcc, rtol=1e-3, atol=1e-3)


def test_progress_rises_to_the_end(tmp_path: Path) -> None:
    file = tmp_path / "song.wav"
    soundfile.write(file, tone(70.0), RATE)
    seen: list[int] = []
    analyze(str(file), ["energy"], report=lambda percent, message: seen.append(percent))
    assert seen == sorted(seen)
    assert len(set(seen)) > 3
    assert seen[-1] <= 100
