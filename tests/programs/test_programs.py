"""The real programs, as real children."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from conversations import program
from songs import Song, play
from tiny_models import SOURCES, save_safetensors

RATE = 44_100


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    save_safetensors(folder, "tiny")
    return folder


def write(file: Path, y: np.ndarray, rate: int = RATE) -> dict[str, Any]:
    """Write a song; gives back what a request says of it."""
    with file.open("wb") as stream:
        soundfile.write(stream, y, rate, format="WAV")
    status = file.stat()
    return {
        "path": str(file),
        "expected": {"size_bytes": status.st_size, "mtime_ns": status.st_mtime_ns},
    }


def test_a_song_is_analyzed(tmp_path: Path) -> None:
    song = Song(tonic=9, mode="minor", bpm=97, seconds=10, progression=1, timbre="organ")
    said = program("analyze", **write(tmp_path / "song.wav", play(song), 22_050), features=["all"], threads=1)
    assert said.result["columns"]["key"] == "A minor"
    assert said.result["columns"]["tempo"] == pytest.approx(97, rel=0.003)
    assert said.result["versions"]["librosa"]
    assert said.result["code_version"] >= 1
    assert said.percents == sorted(set(said.percents))
    assert said.log == ""
    assert said.returncode == 0


def test_a_song_is_separated(tmp_path: Path, models: Path) -> None:
    y = 0.1 * np.random.default_rng(0).standard_normal((2 * RATE, 2))
    said = program(
        "separate",
        **write(tmp_path / "song.wav", y),
        model="tiny",
        model_folder=str(models),
        output_folder=str(tmp_path / "new" / "stems"),
        shifts=1,
        seed=1,
        device="cpu",
        format="flac",
        segment_seconds=None,
        stems=None,
    )
    assert [stem["file"] for stem in said.result["stems"]] == [f"{source}.flac" for source in SOURCES]
    written = [file.name for file in (tmp_path / "new" / "stems").iterdir()]
    assert sorted(written) == sorted(f"{source}.flac" for source in SOURCES)
    assert said.result["model"]["name"] == "tiny"
    assert said.result["versions"]["demucs"]
    assert said.percents == sorted(set(said.percents))
    assert said.log == ""


@pytest.mark.parametrize("name", ["analyze", "separate"])
@pytest.mark.parametrize(
    ("request_", "kind"),
    [
        ({"path": "{folder}/nothing.wav"}, "not_found"),
        ({"path": "{folder}/text.wav"}, "not_audio"),
        ({"path": '{folder}/new\nline \udcff".wav'}, "not_found"),
        ({"path": ""}, "usage"),
        ({"path": 3}, "usage"),
        ({"path": "{folder}/text.wav", "threads": "many"}, "usage"),
    ],
)
def test_bad_input_is_one_clear_sentence(
    tmp_path: Path, models: Path, name: str, request_: dict[str, Any], kind: str
) -> None:
    (tmp_path / "text.wav").write_text("These are words, not sounds.\n" * 50)
    request = {
        key: value.replace("{folder}", str(tmp_path)) if isinstance(value, str) else value
        for key, value in request_.items()
    }
    output = {"output_folder": str(tmp_path / "out"), "model": "tiny", "model_folder": str(models)}
    said = program(name, **request, **(output if name == "separate" else {}))
    assert (said.last["type"], said.last["kind"], said.returncode) == ("error", kind, 1)
    assert said.last["retry"] is False
    assert "\n" not in said.last["message"]
    assert said.last["remedy"]
    assert "Traceback" not in said.log


def test_a_file_of_any_name_is_analyzed(tmp_path: Path) -> None:
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(RATE // 10) / RATE)
    request = write(tmp_path / "--a 'quoted\" Größe\nof 音 \udcff.wav", tone)
    said = program("analyze", **request, features=["energy"])
    assert said.result["columns"]["energy"] == pytest.approx(0.5 / np.sqrt(2), rel=0.02)


@pytest.mark.parametrize(
    ("name", "room", "absent"), [("analyze", "analysis", "torch"), ("separate", "separation", "librosa")]
)
def test_programs_import_only_what_they_need(name: str, room: str, absent: str) -> None:
    code = (
        f"import sys, soundforge_nb.programs.{name}\n"
        "assert not {'torch', 'librosa', 'numpy'} & set(sys.modules), 'the hello line must come at once'\n"
        f"import soundforge_nb.audio.{room}\n"
        f"assert {absent!r} not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
