"""A store of its own for every test, opened and closed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from soundforge_nb.lifecycle.telemetry import Telemetry
from soundforge_nb.store.session import Session
from soundforge_nb.store.store import Store


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry()


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "soundforge.duckdb"


@pytest.fixture
def store(database: Path, telemetry: Telemetry) -> Iterator[Store]:
    made = Store(database, telemetry=telemetry)
    made.open()
    yield made
    made.close()


@pytest.fixture
def put() -> Any:
    """A unit of work that writes one setting."""
    return put_setting


def put_setting(name: str) -> Any:
    def work(session: Session) -> str:
        session.execute("INSERT INTO settings VALUES (?, '1')", [name])
        return name

    return work


@pytest.fixture
def names() -> Any:
    """The settings that a store holds."""

    def read(store: Store) -> list[str]:
        connection = store.cursor()
        try:
            rows = connection.execute("SELECT name FROM settings ORDER BY name").fetchall()
        finally:
            connection.close()
        return [row[0] for row in rows]

    return read
