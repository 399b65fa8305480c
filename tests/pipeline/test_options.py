"""What can be asked for: the same wish is the same value, and what does not fit is a sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundforge_nb.errors import UsageError
from soundforge_nb.pipeline.options import FEATURES, Analysis, Separation, read_analysis, read_separation


def test_what_stands_for_a_separation() -> None:
    assert read_separation(None) is None
    assert read_separation(False) is None
    assert read_separation(True) == Separation()
    assert read_separation("demo") == Separation(model="demo")
    assert read_separation({"model": "demo", "shifts": 0}) == Separation(model="demo", shifts=0)
    mine = Separation(model="demo")
    assert read_separation(mine) is mine


def test_the_same_wish_is_the_same_value() -> None:
    one = Separation(overlap=0, segment_seconds=7, stems=["vocals"], format="wav")  # type: ignore[arg-type]
    two = Separation(overlap=0.0, segment_seconds=7.0, stems=("vocals", "vocals"), format="wav_float32")
    assert one == two == Separation(overlap=0, segment_seconds=7, stems="vocals")  # type: ignore[arg-type]
    assert json.dumps(one.as_json()) == json.dumps(two.as_json())
    assert Separation(format="int24").format == "wav_int24"


def test_a_model_folder_is_an_absolute_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert Separation(model_folder="models").model_folder == str(tmp_path / "models")
    assert Separation(model_folder=Path("models")).model_folder == str(tmp_path / "models")  # type: ignore[arg-type]
    monkeypatch.setenv("HOME", "/home/somebody")
    assert Separation(model_folder="~/models").model_folder == "/home/somebody/models"


def test_it_survives_the_store() -> None:
    separation = Separation("demo", "/models", "cpu", 2, 0.5, 6.0, ("vocals", "bass"), None, "flac")
    assert read_separation(json.loads(json.dumps(separation.as_json()))) == separation
    analysis = Analysis(("key", "tempo"))
    assert read_analysis(json.loads(json.dumps(analysis.as_json()))) == analysis


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("model", ""),
        ("model", None),
        ("model", 5),
        ("model_folder", 5),
        ("model_folder", "~nobody_of_this_name/models"),
        ("device", "tpu"),
        ("device", ["cpu"]),
        ("shifts", -1),
        ("shifts", 101),
        ("shifts", 1.5),
        ("shifts", True),
        ("shifts", "1"),
        ("overlap", -0.1),
        ("overlap", 1),
        ("overlap", float("nan")),
        ("overlap", "0.25"),
        ("overlap", True),
        ("segment_seconds", 0),
        ("segment_seconds", -3),
        ("segment_seconds", float("inf")),
        ("segment_seconds", float("nan")),
        ("segment_seconds", "7"),
        ("stems", []),
        ("stems", 5),
        ("stems", ["vocals", 3]),
        ("stems", [""]),
        ("two_stems", 5),
        ("two_stems", ""),
        ("format", "aiff"),
        ("format", []),
        ("format", None),
    ],
)
def test_a_wrong_value_is_a_sentence(name: str, value: Any) -> None:
    for make in (lambda: read_separation({name: value}), lambda: Separation(**{name: value})):
        with pytest.raises(UsageError) as caught:
            make()
        assert name in caught.value.message
        assert caught.value.remedy.startswith("Give ")


def test_stems_and_two_stems_exclude_each_other() -> None:
    with pytest.raises(UsageError, match="not both"):
        Separation(stems=("bass",), two_stems="vocals")


@pytest.mark.parametrize("value", [5, 2.5, ["demo"], object])
def test_what_stands_for_no_separation(value: Any) -> None:
    with pytest.raises(UsageError, match="Give a model's name, or a mapping of options"):
        read_separation(value)


@pytest.mark.parametrize("name", ["shift", 5])
def test_an_unknown_option_is_named(name: Any) -> None:
    with pytest.raises(UsageError, match=rf"no option {name!r}\. Known: device, format, model"):
        read_separation({name: 1})


def test_what_stands_for_an_analysis() -> None:
    assert read_analysis(None) is None
    assert read_analysis(False) is None
    for every in (True, "all", ["all"], ["key", "all"], {}, {"features": "all"}, FEATURES):
        assert read_analysis(every) == Analysis()
    assert read_analysis("key, tempo") == Analysis(("tempo", "key"))
    assert read_analysis(["key", "tempo", "key"]) == Analysis(("tempo", "key"))
    assert read_analysis({"features": ["key"]}) == Analysis(("key",))
    mine = Analysis("key")  # type: ignore[arg-type]
    assert mine.features == ("key",)
    assert read_analysis(mine) is mine


@pytest.mark.parametrize(
    "value", ["loudness", ["tempo", "x"], "all,loudness", ["all", 5], "", [], 5, {"features": []}, [None]]
)
def test_a_wrong_feature_is_a_sentence(value: Any) -> None:
    with pytest.raises(UsageError, match="some of: all, tempo, key"):
        read_analysis(value)


def test_an_unknown_option_of_an_analysis_is_named() -> None:
    with pytest.raises(UsageError, match=r"no option 'feature'\. Known: features\."):
        read_analysis({"feature": ["key"]})


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists))
def test_no_value_ends_otherwise(value: Any) -> None:
    for read in (read_separation, read_analysis):
        try:
            read(value)
        except UsageError as error:
            assert error.message
