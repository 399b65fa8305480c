"""The clients of the programs: what they ask, how long they wait, what they believe."""

from __future__ import annotations

from pathlib import Path

import pytest

from soundforge_nb import config
from soundforge_nb.errors import PortProtocolError
from soundforge_nb.ports.analyzer import Analyzer
from soundforge_nb.ports.cold import cold_port
from soundforge_nb.ports.downloader import Downloader, Wanted
from soundforge_nb.ports.port import Port
from soundforge_nb.ports.program import ANALYZE, SEPARATE
from soundforge_nb.ports.separator import Parameters, Separator


class Scripted:
    """A port that remembers what it was asked."""

    def __init__(self, answer):
        self.answer = answer

    def call(self, request, *, timeout_seconds, owner="", on_progress=None):
        self.request, self.timeout_seconds, self.owner = request, timeout_seconds, owner
        return self.answer


ANALYSIS = {
    "columns": {"tempo": 120.0},
    "features": {"tempo": {"bpm": 120.0}},
    "curves": {},
    "audio": {"sample_rate_hz": 44100},
    "code_version": 1,
    "versions": {"librosa": "0.11"},
}


@pytest.fixture
def settings(tmp_path):
    return config.load(tmp_path / "data", environment={})


def test_an_analysis_is_asked_for_and_read(settings):
    port = Scripted(ANALYSIS)
    analysis = Analyzer(port, settings, threads=2).analyze(
        "song.wav", ["tempo"], expected={"size_bytes": 1, "mtime_ns": 2}, owner="a/1"
    )
    assert port.request == {
        "path": str(Path.cwd() / "song.wav"),
        "features": ["tempo"],
        "threads": 2,
        "expected": {"size_bytes": 1, "mtime_ns": 2},
    }
    assert port.owner == "a/1"
    assert (analysis.columns, analysis.versions) == ({"tempo": 120.0}, {"librosa": "0.11"})


@pytest.mark.parametrize("name", ANALYSIS)
def test_an_analysis_that_lacks_a_part_is_a_fault_of_the_protocol(settings, name):
    answer = {key: value for key, value in ANALYSIS.items() if key != name}
    with pytest.raises(PortProtocolError, match=name) as caught:
        Analyzer(Scripted(answer), settings).analyze("song.wav")
    assert not caught.value.retryable


def test_the_time_allowed_grows_with_the_audio(settings):
    analyzer = Analyzer(Scripted({}), settings)
    assert analyzer.timeout_seconds(0) == 120
    assert analyzer.timeout_seconds(7200) == 120 + 2 * 7200
    assert analyzer.timeout_seconds(None) > 120


@pytest.mark.parametrize(
    ("parameters", "passes"),
    [
        (Parameters(), 1),
        (Parameters(shifts=0), 1),
        (Parameters(shifts=5), 5),
        (Parameters("htdemucs_ft"), 4),
        (Parameters("mdx_extra", shifts=2), 8),
        (Parameters("somebody's own"), 4),
        (Parameters("demo"), 1),
    ],
)
def test_each_pass_of_each_network_of_a_separation_gets_its_time(settings, parameters, passes):
    allowed = Separator(Scripted({}), settings).timeout_seconds(10, parameters)
    assert allowed == 300 + 20 * passes * 10


def test_a_separation_is_asked_for_and_read(settings, tmp_path):
    (tmp_path / "vocals.flac").touch()
    port = Scripted({"stems": [{"stem": "vocals", "file": "vocals.flac"}], "model": {"name": "htdemucs"}})
    made = Separator(port, settings, threads=3).separate("song.wav", tmp_path, Parameters(seed=7))
    assert set(port.request) == {
        *("path", "model", "model_folder", "device", "shifts", "overlap", "segment_seconds", "stems"),
        *("two_stems", "two_stems_method", "format", "output_folder", "seed", "threads", "expected"),
    }
    assert (port.request["seed"], port.request["threads"]) == (7, 3)
    assert made.files == {"vocals": tmp_path / "vocals.flac"}
    assert made.answer["model"] == {"name": "htdemucs"}


def test_a_separation_takes_device_and_models_from_the_settings_unless_told(tmp_path):
    settings = config.load(tmp_path, environment={}, device="cuda", model_folder=tmp_path / "models")
    port = Scripted({"stems": []})
    Separator(port, settings).separate("song.wav", tmp_path)
    assert (port.request["device"], port.request["model_folder"]) == ("cuda", str(tmp_path / "models"))
    Separator(port, settings).separate("song.wav", tmp_path, Parameters(device="cpu", model_folder="/mine"))
    assert (port.request["device"], port.request["model_folder"]) == ("cpu", "/mine")


@pytest.mark.parametrize(
    "file", ["../climbed.flac", "/etc/hostname", "not_there.flac", ".", "", "link.flac", 7]
)
def test_a_stem_that_is_no_file_of_the_folder_is_not_believed(settings, tmp_path, file):
    folder = tmp_path / "out"
    folder.mkdir()
    (tmp_path / "climbed.flac").touch()
    (folder / "link.flac").symlink_to("/etc/hostname")
    port = Scripted({"stems": [{"stem": "vocals", "file": file}]})
    with pytest.raises(PortProtocolError, match=r"vocals|whose file"):
        Separator(port, settings).separate("song.wav", folder)


@pytest.mark.parametrize("stems", [None, {}, ["vocals"], [{"file": "x"}]])
def test_stems_of_another_shape_are_not_believed(settings, tmp_path, stems):
    with pytest.raises(PortProtocolError, match="stem"):
        Separator(Scripted({"stems": stems}), settings).separate("song.wav", tmp_path)


def test_a_cold_port_follows_the_settings(settings):
    assert isinstance(cold_port(ANALYZE, settings, threads=1), Port)
    assert SEPARATE.argv[1:] == ["-m", "soundforge_nb.programs.separate"]


def test_a_download_is_asked_for_and_read(tmp_path):
    settings = config.load(tmp_path, environment={}, private_addresses="allowed", download_max_bytes=7)
    (tmp_path / "audio.mp3").touch()
    port = Scripted({"file": "audio.mp3", "names": ["a.mp3", 3], "audio": {"channels": 2}})
    wanted = Wanted("https://host/a.mp3?k=1", "https://host/a.mp3", "key", duration_seconds=60.0)
    found = Downloader(port, settings).download(wanted, tmp_path, owner="a/1")
    assert (found.file, found.names) == (tmp_path / "audio.mp3", ("a.mp3",))
    assert (port.request["max_bytes"], port.request["allow_private"]) == (7, True)
    assert port.request["partial_folder"] == str(settings.partial_folder)
    assert port.timeout_seconds == 300 + 2 * 60


@pytest.mark.parametrize("file", ["../audio.mp3", "/etc/hostname", "not_there.mp3", "", "link.mp3", 7])
def test_a_download_that_is_no_file_of_the_folder_is_not_believed(settings, tmp_path, file):
    (tmp_path / "link.mp3").symlink_to("/etc/hostname")
    port = Scripted({"file": file, "names": [], "audio": {}})
    with pytest.raises(PortProtocolError):
        Downloader(port, settings).download(Wanted("https://host/", "https://host/", "key"), tmp_path)
