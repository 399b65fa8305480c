"""A look into a database that nobody has open."""

from __future__ import annotations

import duckdb
import pytest

from soundforge_nb.errors import StoreError, StoreNewer
from soundforge_nb.store import migrations
from soundforge_nb.store.inspection import inspect_database


@pytest.fixture
def closed(store, database):
    """A database with a few rows, closed."""
    store.cursor().execute("INSERT INTO settings SELECT 'n' || i, '1' FROM range(5000) t(i)")
    store.close()
    return database


def test_every_row_is_read_and_nothing_written(closed):
    before = closed.read_bytes()

    seen = inspect_database(closed)

    assert seen.whole
    assert seen.rows["settings"] == 5000
    assert seen.schema == seen.newest == migrations.known()[-1].number
    assert closed.read_bytes() == before


def test_a_large_library_is_read_in_part(closed):
    # Before the first row is read its time is over.
    seen = inspect_database(closed, read_seconds=0.0)

    assert seen.schema == seen.newest


def test_damage_is_found(closed):
    content = bytearray(closed.read_bytes())
    for place in range(12_288, len(content), 97):
        content[place] ^= 0xFF
    closed.write_bytes(content)

    with pytest.raises(StoreError, match="can't be opened") as caught:
        inspect_database(closed)
    assert "Restore a copy" in caught.value.remedy


def test_what_is_no_database(tmp_path):
    file = tmp_path / "soundforge.duckdb"
    file.write_text("words")

    with pytest.raises(StoreError, match="can't be opened"):
        inspect_database(file)


def test_a_newer_one_is_told(closed):
    with duckdb.connect(str(closed)) as connection:
        connection.execute("INSERT INTO schema_migrations VALUES (9999, 'later', now()::TIMESTAMP)")

    with pytest.raises(StoreNewer, match="schema 9999"):
        inspect_database(closed)
