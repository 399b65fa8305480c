"""Migrations: each once, in order; a copy before; a newer store refused untouched."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from soundforge_nb.errors import StoreError, StoreNewer
from soundforge_nb.store import migrations
from soundforge_nb.store.migrations import Migration
from soundforge_nb.store.store import Store


@pytest.fixture
def extra(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let this version know one more migration than it ships."""

    def know(sql: str) -> Migration:
        shipped = migrations.known()
        more = Migration(shipped[-1].number + 1, "extra", sql)
        monkeypatch.setattr(migrations, "known", lambda: [*shipped, more])
        return more

    return know


def applied(store: Store) -> list[tuple[Any, ...]]:
    connection = store.cursor()
    try:
        rows: list[tuple[Any, ...]] = connection.execute(
            "SELECT number, name, applied_at FROM schema_migrations ORDER BY number"
        ).fetchall()
    finally:
        connection.close()
    return rows


def opened(database: Path) -> Store:
    store = Store(database)
    store.open()
    return store


def test_they_are_numbered_without_a_gap() -> None:
    numbers = [migration.number for migration in migrations.known()]
    assert numbers == list(range(1, len(numbers) + 1))


def test_each_is_applied_once_and_dated_in_utc(database: Path) -> None:
    opened(database).close()
    store = opened(database)
    rows = applied(store)
    assert [(number, name) for number, name, _ in rows] == [(m.number, m.name) for m in migrations.known()]
    assert abs(rows[0][2] - datetime.now(UTC).replace(tzinfo=None)) < timedelta(minutes=5)
    store.close()
    assert list(database.parent.iterdir()) == [database]


def test_the_database_is_copied_before_it_is_migrated(
    database: Path, extra: Any, put: Any, names: Any
) -> None:
    store = opened(database)
    store.submit("put", put("kept")).result(30)
    store.close()
    before = migrations.known()[-1].number
    extra("CREATE TABLE more (a INTEGER); INSERT INTO more VALUES (7)")
    store = opened(database)
    assert names(store) == ["kept"]
    assert applied(store)[-1][:2] == (before + 1, "extra")
    store.close()
    copy = database.with_name(f"soundforge.schema-{before:04d}.duckdb")
    with duckdb.connect(str(copy), read_only=True) as connection:
        assert connection.execute("SELECT name FROM settings").fetchall() == [("kept",)]
        assert migrations.schema_number(connection) == before


def test_a_migration_that_fails_leaves_the_database_as_it_was(
    database: Path, extra: Any, put: Any, names: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = opened(database)
    store.submit("put", put("kept")).result(30)
    store.close()
    with monkeypatch.context():
        extra("CREATE TABLE half (a INTEGER); INSERT INTO there_is_none VALUES (1)")
        with pytest.raises(StoreError, match="there_is_none"):
            Store(database).open()
        monkeypatch.undo()
    store = opened(database)
    assert names(store) == ["kept"]
    assert applied(store)[-1][0] == migrations.known()[-1].number
    store.close()


def test_a_newer_store_is_refused_untouched(
    database: Path, extra: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = extra("CREATE TABLE more (a INTEGER)")
    opened(database).close()
    # A log that is not folded in yet, as a killed process leaves it, must stay as it is too.
    log = database.with_name(f"{database.name}.wal")
    copy, copied_log = database.with_name("copy.duckdb"), database.with_name("copy.duckdb.wal")
    store = opened(database)
    store.submit("fill", lambda s: s.execute("INSERT INTO more VALUES (1)")).result(30)
    copy.write_bytes(database.read_bytes())
    copied_log.write_bytes(log.read_bytes())
    store.close()
    before = (copy.read_bytes(), copied_log.read_bytes())
    monkeypatch.undo()
    with pytest.raises(StoreNewer) as caught:
        Store(copy).open()
    assert str(caught.value) == (
        f"The library {copy} has schema {more.number}; this version knows up to {more.number - 1}. "
        "Update soundforge_nb; nothing was changed."
    )
    assert (copy.read_bytes(), copied_log.read_bytes()) == before


def test_a_copy_that_finds_no_room_is_said(
    database: Path, extra: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(database).close()
    extra("CREATE TABLE more (a INTEGER)")

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(migrations, "copy_before", full)
    with pytest.raises(StoreError, match="No space left"):
        Store(database).open()


SCHEMAS = Path(__file__).parent / "schemas"


def test_every_schema_that_ever_shipped_has_its_committed_store() -> None:
    assert sorted(file.stem for file in SCHEMAS.glob("*.duckdb")) == [
        f"{migration.number:04d}" for migration in migrations.known()
    ]


@pytest.mark.parametrize("file", sorted(SCHEMAS.glob("*.duckdb")), ids=lambda file: file.stem)
def test_the_store_of_every_schema_is_migrated_with_all_its_rows(file: Path, database: Path) -> None:
    database.write_bytes(file.read_bytes())
    before = _rows(database)
    store = opened(database)
    store.close()
    after = _rows(database)
    assert set(before) <= set(after)
    assert {name: after[name] for name in before if name != "schema_migrations"} == {
        name: rows for name, rows in before.items() if name != "schema_migrations"
    }
    # What no older version could know of has no rows to be made of.
    later = {"links", "merged_tracks"}
    later |= {"spotify_tracks", "spotify_lists", "spotify_entries", "spotify_matches", "spotify_refusals"}
    new = later - set(before)
    empty = [name for name, rows in after.items() if not rows and name not in {"job_parents", *new}]
    assert not empty, "each table of the newest schema has a row in its store, or one is made of older rows"
    copies = list(database.parent.glob("soundforge.schema-*.duckdb"))
    migrated = int(file.stem) < migrations.known()[-1].number
    assert len(copies) == migrated
    if migrated:
        assert _rows(copies[0]) == before


def _rows(file: Path) -> dict[str, list[tuple[Any, ...]]]:
    with duckdb.connect(str(file), read_only=True) as connection:
        tables = [name for (name,) in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
        return {
            name: sorted(connection.execute(f"SELECT * FROM {name}").fetchall(), key=repr) for name in tables
        }
