"""The clients of the programs: what they ask, how long they wait, what they believe."""

from __future__ import annotations

from pathlib import Path

import pytest

from soundforge_nb import config
from soundforge_nb.errors import PortProtocolError
from soundforge_nb.ports.analyzer import Analyzer
from soundforge_nb.ports.cold import cold_port
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
    ],
)
def test_each_pass_of_each_network_of_a_separation_gets_its_time(settings, parameters, passes):
    allowed = Separator(Scripted({}), settings).timeout_seconds(10, parameters)
    assert allowed == 300 + 20 * passes * 10


def stem(folder, name="vocals"):
    (folder / f"{name}.flac").write_bytes(b"x")
    return {"path": str(folder / f"{name}.flac")}


def test_a_separation_is_asked_for_and_read(settings, tmp_path):
    port = Scripted({"stems": {"vocals": stem(tmp_path)}, "model": "htdemucs"})
    made = Separator(port, settings, threads=3).separate("song.wav", tmp_path, Parameters(seed=7))
    assert set(port.request) == {
        *("path", "model", "model_folder", "device", "shifts", "overlap", "segment_seconds", "stems"),
        *("two_stems", "two_stems_method", "format", "output_folder", "seed", "threads", "expected"),
    }
    assert (port.request["seed"], port.request["threads"], port.request["device"]) == (7, 3, "auto")
    assert made.stems["vocals"]["path"] == str(tmp_path / "vocals.flac")
    assert made.answer["model"] == "htdemucs"


@pytest.mark.parametrize("path", ["{}/../climbed.flac", "/etc/hostname", "{}/not_there.flac", "{}"])
def test_a_stem_outside_the_folder_or_without_a_file_is_not_believed(settings, tmp_path, path):
    folder = tmp_path / "out"
    folder.mkdir()
    (tmp_path / "climbed.flac").touch()
    port = Scripted({"stems": {"vocals": {"path": path.format(folder)}}})
    with pytest.raises(PortProtocolError, match="vocals"):
        Separator(port, settings).separate("song.wav", folder)


def test_a_cold_port_follows_the_settings(settings):
    assert isinstance(cold_port(ANALYZE, settings, threads=1), Port)
    assert SEPARATE.argv[1:] == ["-m", "soundforge_nb.programs.separate"]
