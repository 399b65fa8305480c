"""Opening the database file, tightly, and saying in a sentence why it can't be opened."""

from __future__ import annotations

import os
from pathlib import Path

import duckdb

from soundforge_nb.errors import StoreError, StoreLocked
from soundforge_nb.store import migrations
from soundforge_nb.store.faults import first_line

Settings = dict[str, str | bool | int | float | list[str]]


def open_database(file: Path, memory_limit: str) -> duckdb.DuckDBPyConnection:
    """Open `file`, migrate it, and lock the instance's configuration.

    The instance can't reach other files, load extensions or change its settings: a person's query
    runs on it too. The database is copied before a migration; a newer one is refused untouched.

    Raises
    ------
    StoreLocked
        Another process has it open.
    StoreNewer
        A newer version wrote it.
    StoreError
        It is damaged, or not a database.
    """
    wanted = migrations.known()
    settings = _settings(memory_limit)
    try:
        if file.exists():
            number = _schema_number(file, settings)
            migrations.check_not_newer(number, file, wanted)
            if 0 < number < wanted[-1].number:
                _checkpoint(file, settings)
                migrations.copy_before(file, number)
        else:
            _create(file, settings, wanted)
        connection = duckdb.connect(str(file), config=settings)
        try:
            migrations.apply(connection, wanted)
        except BaseException:
            connection.close()
            raise
    except duckdb.Error as error:
        raise _in_words(file, error) from error
    except OSError as error:
        raise StoreError(
            f"The library {file} can't be opened: {os.strerror(error.errno or 0)}.",
            "Nothing was changed. Make room, or check the folder's permissions.",
        ) from error
    return connection


def _create(file: Path, settings: Settings, wanted: list[migrations.Migration]) -> None:
    # Made aside and put in place whole: a process killed here would leave a file that is no database.
    partial = file.with_name(f"{file.name}.new")
    for left in (partial, partial.with_name(f"{partial.name}.wal")):
        left.unlink(missing_ok=True)
    with duckdb.connect(str(partial), config=settings) as connection:
        migrations.apply(connection, wanted)
        connection.execute("CHECKPOINT")
    partial.replace(file)


def _schema_number(file: Path, settings: Settings) -> int:
    # Opened for reading alone: not even the log of a newer database is folded into it.
    with duckdb.connect(str(file), read_only=True, config=settings) as connection:
        return migrations.schema_number(connection)


def _checkpoint(file: Path, settings: Settings) -> None:
    with duckdb.connect(str(file), config=settings) as connection:
        connection.execute("CHECKPOINT")


def _settings(memory_limit: str) -> Settings:
    return {
        # This also keeps a name in a person's query from reaching a variable of this process.
        "enable_external_access": "false",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "lock_configuration": "true",
        "memory_limit": memory_limit,
        "max_temp_directory_size": "4GB",
        "threads": "2",
    }


def _in_words(file: Path, error: duckdb.Error) -> StoreError:
    text = first_line(error)
    if "lock on file" in text or "Conflicting lock" in text:
        return StoreLocked(
            f"The library {file} is open in another process.",
            "Let soundforge_nb open it: connect() attaches to the application that has it.",
        )
    return StoreError(
        f"The library {file} can't be opened: {text}",
        "Nothing was changed. Restore a copy of the file, or move it away to begin a new library.",
    )
