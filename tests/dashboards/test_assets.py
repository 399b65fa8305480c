"""The built front end: small, all of it named for the wheel, and quiet about the network."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STATIC = sorted((ROOT / "soundforge_nb/dashboards/static").iterdir())


def test_a_wheel_without_one_of_them_fails_to_build() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    forced = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    page = ["notebooks/dashboard.ipynb", "notebooks/voila.json"]
    assert sorted(forced) == [*page, *(str(file.relative_to(ROOT)) for file in STATIC)]


@pytest.mark.parametrize("file", STATIC, ids=lambda file: file.name)
def test_it_is_small_and_asks_nobody(file: Path) -> None:
    built = file.read_text(encoding="utf-8")
    assert len(built.encode()) <= 100_000
    assert "@import" not in built
    # Names of XML namespaces look like addresses; nothing is fetched from them.
    assert "http" not in built.replace("http://www.w3.org/", "")


def test_all_of_them_together_are_small() -> None:
    assert sum(file.stat().st_size for file in STATIC) <= 200_000
