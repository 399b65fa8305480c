"""Whatever a person feeds in: a right result, or one sentence that names file, fault and remedy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile

ODD_NAMES = [
    "with spaces.wav",
    'it\'s "quoted".wav',
    "new\nline.wav",
    "--leading-dashes.wav",
    "Motörhead – ドラム.wav",
    "<img src=x onerror=alert(1)>.wav",
]


def _tone(path: Path, seconds: float = 1.0, level: float = 0.3, **options) -> Path:
    t = np.arange(int(44_100 * seconds)) / 44_100
    soundfile.write(path, level * np.sin(2 * np.pi * 440 * t), 44_100, **options)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder of everything that can go wrong, with good files among it."""
    folder = tmp_path_factory.mktemp("mixed bag")
    (folder / "text.wav").write_text("These are words, not waves.\n" * 50)
    (folder / "zero.wav").touch()
    (folder / "header only.wav").write_bytes(_tone(folder / "good.wav").read_bytes()[:44])
    soundfile.write(folder / "silence.wav", np.zeros(44_100 * 3), 44_100)
    flac = _tone(folder / "whole.flac", seconds=4, subtype="PCM_16")
    (folder / "truncated.flac").write_bytes(flac.read_bytes()[: flac.stat().st_size // 2])
    t = np.arange(8_000) / 8_000
    soundfile.write(folder / "telephone.wav", 0.2 * np.sin(2 * np.pi * 440 * t), 8_000)
    t = np.arange(192_000) / 192_000
    surround = np.stack([0.02 * k * np.sin(2 * np.pi * 220 * k * t) for k in range(1, 7)], axis=1)
    soundfile.write(folder / "surround.wav", surround, 192_000, subtype="PCM_24")
    soundfile.write(folder / "constant.wav", np.full(44_100, 0.25), 44_100)
    for name in ODD_NAMES:
        _tone(folder / name, level=0.1 + 0.01 * ODD_NAMES.index(name))
    return folder


@pytest.fixture(scope="module")
def batch(shared_folder, folder):
    """One batch of all of it: the bad ones must not keep the good ones."""
    import soundforge_nb as sf

    with sf.connect(data_folder=shared_folder) as forge:
        batch = forge.process(folder, separate="demo", analyze=["energy", "key"])
        assert batch.wait(timeout_seconds=400)
        yield batch


def _rows(batch, name):
    account = batch.account()
    return account[account["name"].map(lambda entry: Path(entry).name) == name].to_dict("records")


@pytest.mark.timeout(500)
def test_the_account_adds_up(batch, folder):
    inputs = batch.snapshot()["inputs"]

    assert inputs["total"] == len(list(folder.iterdir()))
    assert inputs["done"] + inputs["failed"] == inputs["total"]
    assert inputs["failed"] == 4
    assert len(batch.errors().drop_duplicates("name")) == 4


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("text.wav", "not audio"),
        ("zero.wav", "empty"),
        ("header only.wav", ""),
        ("truncated.flac", "damaged"),
    ],
)
def test_a_bad_file_gets_one_sentence(batch, name, fault):
    rows = _rows(batch, name)

    assert {row["status"] for row in rows} == {"failed"}
    for row in rows:
        assert name in row["sentence"]
        assert fault in row["sentence"]
        assert "Traceback" not in row["sentence"]
        assert len(row["sentence"].splitlines()) == 1


@pytest.mark.parametrize(
    "name", [*ODD_NAMES, "good.wav", "silence.wav", "telephone.wav", "surround.wav", "constant.wav"]
)
def test_an_odd_file_gets_a_right_result(batch, name):
    rows = _rows(batch, name)

    assert {row["status"] for row in rows} <= {"done", "reused"}
    results = batch.results()
    row = results[results["name"].map(lambda entry: Path(entry).name) == name].iloc[0]
    assert set(row["stems"]) == {"drums", "bass", "other", "vocals"}
    for path in row["stems"].values():
        samples, _ = soundfile.read(path)
        assert np.isfinite(samples).all()
    if name == "constant.wav":
        assert row["energy"] == pytest.approx(0.25, rel=0.01)
    elif name == "silence.wav":
        assert row["energy"] == 0
        assert pd.isna(row["key"])
    else:
        assert row["energy"] > 0


def test_what_names_no_audio_is_rejected_with_a_sentence(forge, tmp_path):
    empty = tmp_path / "no audio here"
    empty.mkdir()
    (empty / "notes.txt").write_text("hello")
    dangling = tmp_path / "dangling.wav"
    dangling.symlink_to(tmp_path / "gone.wav")

    tracks = forge.add(empty, tmp_path / "missing.wav", dangling, str(tmp_path / "*.nothing"))

    assert len(tracks) == 0
    sentences = {Path(entry.name).name: str(entry) for entry in tracks.rejected}
    assert "has no audio files" in sentences["no audio here"]
    assert "is not there" in sentences["missing.wav"]
    assert "leads nowhere" in sentences["dangling.wav"]
    assert "Nothing matches" in sentences["*.nothing"]


@pytest.mark.timeout(120)
def test_a_file_that_changes_between_add_and_process_is_noticed(forge, tmp_path):
    file = _tone(tmp_path / "changing.wav", level=0.21)
    tracks = forge.add(file)
    _tone(file, seconds=2, level=0.22)

    batch = forge.process(tracks, analyze="energy")

    assert batch.wait(100)
    (error,) = batch.errors()["error"]
    assert "changing.wav" in error
    assert "changed" in error


def test_a_wrong_option_is_one_sentence_before_any_job(forge, tmp_path):
    import soundforge_nb as sf

    file = _tone(tmp_path / "any.wav", level=0.23)
    jobs = len(forge.jobs())
    with pytest.raises(sf.SoundforgeError, match="analyze"):
        forge.process(file, analyze="melody")
    with pytest.raises(sf.SoundforgeError, match="Nothing was asked for"):
        forge.process(file)
    with pytest.raises(sf.SoundforgeError, match="no option 'shift'"):
        forge.process(file, separate={"model": "demo", "shift": 2})
    assert len(forge.jobs()) == jobs


@pytest.mark.timeout(150)
def test_a_model_that_is_not_there_says_which_file_from_where_and_whereto(forge, tmp_path):
    file = _tone(tmp_path / "wanted.wav", level=0.24)
    (tmp_path / "models").mkdir()
    batch = forge.process(file, separate={"model": "htdemucs", "model_folder": str(tmp_path / "models")})

    assert batch.wait(120)

    (error,) = batch.errors()["error"]
    assert "htdemucs" in error
    assert str(tmp_path / "models") in error
