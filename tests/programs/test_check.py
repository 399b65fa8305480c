"""The check, as a real child."""

from __future__ import annotations

from conversations import program


def test_sound() -> None:
    said = program("check", part="sound")

    assert {codec["codec"]: codec["error"] for codec in said.result["codecs"]}["M4A/AAC"] is None
    assert "tempo" in said.result["features"]
    assert said.result["versions"]["librosa"]


def test_models() -> None:
    result = program("check", part="models").result

    assert result["demo"]["sha256"] == result["demo"]["expected_sha256"]
    assert result["demo"]["parameters"] > 2_000_000
    assert result["demo"]["scores"]["demo"]["mean"] > 2
    assert "cpu" in result["devices"]


def test_an_unknown_part_is_a_sentence() -> None:
    said = program("check", part="brain")

    assert said.last["type"] == "error"
    assert "Choose from sound, models" in said.last["remedy"]
