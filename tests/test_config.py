"""The settings: one frozen object, and which word counts."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

from soundforge_nb.config import Config, default_data_folder, load
from soundforge_nb.errors import ConfigError

NOTHING: dict[str, str] = {}


def test_defaults(tmp_path: Path) -> None:
    config = load(tmp_path, environment=NOTHING)
    assert config == Config(data_folder=tmp_path)
    assert config.limits == {"download": 3, "processing": 2, "analysis": 2}
    assert config.store_file == tmp_path / "soundforge.duckdb"


def test_defaults_file_environment_arguments_in_rising_order(tmp_path: Path) -> None:
    (tmp_path / "soundforge.toml").write_text(
        "linger_seconds = 1\nlease_seconds = 1\nsql_max_rows = 1\nmodel_folder = '/models'\n"
    )
    environment = {
        "SOUNDFORGE_LEASE_SECONDS": "2.5",
        "SOUNDFORGE_SQL_MAX_ROWS": "2",
        "SOUNDFORGE_OF_SOMEBODY_ELSE": "x",
        "LINGER_SECONDS": "9",
    }
    config = load(tmp_path, environment=environment, sql_max_rows=3, device=None)
    assert (config.linger_seconds, config.lease_seconds, config.sql_max_rows) == (1.0, 2.5, 3)
    assert (config.device, config.model_folder) == ("auto", Path("/models"))


def test_the_data_folder_is_an_argument_a_variable_or_the_platform_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = {"SOUNDFORGE_DATA_FOLDER": str(tmp_path / "env")}
    assert load(tmp_path / "arg", environment=environment).data_folder == tmp_path / "arg"
    assert load(environment=environment).data_folder == tmp_path / "env"
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert load(environment=NOTHING).data_folder == default_data_folder()
    monkeypatch.chdir(tmp_path)
    assert load("here", environment=NOTHING).data_folder == tmp_path / "here"
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load("~/there", environment=NOTHING).data_folder == tmp_path / "there"


def test_every_place_lies_in_the_data_folder(tmp_path: Path) -> None:
    config = Config(data_folder=tmp_path)
    places = [
        value
        for name in dir(config)
        if name.endswith(("_file", "_folder")) and (value := getattr(config, name))
    ]
    assert len(places) >= 9
    assert all(place == tmp_path or tmp_path in place.parents for place in places)


def test_it_is_frozen_and_travels_as_json(tmp_path: Path) -> None:
    config = Config(data_folder=tmp_path, model_folder=tmp_path / "models")
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.linger_seconds = 0  # type: ignore[misc]
    settings = json.loads(json.dumps(config.as_json()))
    assert load(settings.pop("data_folder"), environment=NOTHING, **settings) == config


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("lease_seconds", "soon"),
        ("lease_seconds", True),
        ("lease_seconds", 0),
        ("linger_seconds", -1),
        ("linger_seconds", float("nan")),
        ("linger_seconds", float("inf")),
        ("processing_limit", 2.5),
        ("processing_limit", "2.5"),
        ("processing_limit", -1),
        ("processing_limit", float("inf")),
        ("processing_limit", [2]),
        ("dask_workers", 0),
        ("model_folder", 5),
        ("model_folder", "~nobody_of_this_name/models"),
        ("colour", "red"),
    ],
)
def test_a_wrong_setting_is_a_sentence(tmp_path: Path, name: str, value: Any) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, environment=NOTHING, **{name: value})
    assert name in caught.value.message
    assert caught.value.remedy


def test_a_wrong_setting_says_where_it_stands(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="SOUNDFORGE_ANALYSIS_LIMIT"):
        load(tmp_path, environment={"SOUNDFORGE_ANALYSIS_LIMIT": "many"})
    file = tmp_path / "soundforge.toml"
    file.write_text("colour = 'red'")
    with pytest.raises(ConfigError, match=r"no setting named colour \(.*soundforge\.toml\)"):
        load(tmp_path, environment=NOTHING)


@pytest.mark.parametrize("content", [b"= no toml", b"\xff\xfe", b"linger_seconds ="])
def test_a_file_that_can_not_be_read_is_named(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "soundforge.toml"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"settings file .*soundforge\.toml can't be read"):
        load(tmp_path, environment=NOTHING)


def test_a_home_of_nobody_is_no_data_folder() -> None:
    with pytest.raises(ConfigError, match="data_folder"):
        load("~nobody_of_this_name/x", environment=NOTHING)


def test_a_limit_of_nothing_pauses_a_queue(tmp_path: Path) -> None:
    assert load(tmp_path, environment=NOTHING, download_limit=0).limits["download"] == 0
