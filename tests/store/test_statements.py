"""Every statement lives in a file of its own and is one statement, with a word on what it does."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

import soundforge_nb
from soundforge_nb.store.statements import statement

FILES = sorted(Path(soundforge_nb.__file__).parent.glob("*/queries/*.sql"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parts[-3]}/{file.stem}")
def test_one_statement_a_file(file: Path) -> None:
    text = statement(file.parts[-3], file.stem)
    assert text.startswith("-- ")
    with duckdb.connect() as connection:
        assert len(connection.extract_statements(text)) == 1
