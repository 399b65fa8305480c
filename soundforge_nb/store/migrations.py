"""Numbered migrations: each file in `migrations/` is applied once, in order, in one transaction."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

import duckdb

from soundforge_nb.errors import StoreNewer

_NAME = re.compile(r"(\d{4})_(\w+)\.sql")


@dataclass(frozen=True)
class Migration:
    number: int
    name: str
    sql: str


def known() -> list[Migration]:
    """The migrations that ship with this version, in order."""
    found = []
    for entry in resources.files("soundforge_nb.store").joinpath("migrations").iterdir():
        match = _NAME.fullmatch(entry.name)
        if match:
            found.append(Migration(int(match[1]), match[2], entry.read_text(encoding="utf-8")))
    return sorted(found, key=lambda migration: migration.number)


def schema_number(connection: duckdb.DuckDBPyConnection) -> int:
    """The number of the last migration applied to this database; 0 for a new one."""
    tables = connection.execute(
        "SELECT count(*) FROM information_schema.tables WHERE table_name = 'schema_migrations'"
    ).fetchone()
    if not tables or not tables[0]:
        return 0
    row = connection.execute("SELECT max(number) FROM schema_migrations").fetchone()
    return int(row[0] or 0) if row else 0


def check_not_newer(number: int, file: Path, migrations: list[Migration]) -> None:
    """Refuse a database that a newer version wrote.

    Raises
    ------
    StoreNewer
        `number` is beyond the last migration known here.
    """
    newest = migrations[-1].number
    if number > newest:
        raise StoreNewer(
            f"The library {file} has schema {number}; this version knows up to {newest}.",
            "Update soundforge_nb; nothing was changed.",
        )


def copy_before(file: Path, number: int) -> Path:
    """Copy the database beside itself before it is migrated away from schema `number`."""
    target = file.with_name(f"{file.stem}.schema-{number:04d}{file.suffix}")
    shutil.copy2(file, target)
    return target


def apply(connection: duckdb.DuckDBPyConnection, migrations: list[Migration]) -> list[int]:
    """Apply what is missing; returns the numbers that were applied."""
    done = schema_number(connection)
    applied = []
    for migration in migrations:
        if migration.number <= done:
            continue
        connection.execute("BEGIN")
        try:
            connection.execute(migration.sql)
            connection.execute(
                "INSERT INTO schema_migrations VALUES (?, ?, ?)",
                [migration.number, migration.name, datetime.now(UTC).replace(tzinfo=None)],
            )
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        applied.append(migration.number)
    return applied
