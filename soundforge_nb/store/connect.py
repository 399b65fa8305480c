"""Opening the database file, tightly, and saying in a sentence why it can't be opened."""

from __future__ import annotations

from pathlib import Path

import duckdb

from soundforge_nb.errors import StoreError, StoreLocked
from soundforge_nb.store import migrations


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
    existed = file.exists()
    try:
        connection = duckdb.connect(str(file), config=_settings(memory_limit))
        number = migrations.schema_number(connection)
        migrations.check_not_newer(number, file, wanted)
        if existed and 0 < number < wanted[-1].number:
            connection.execute("CHECKPOINT")
            connection.close()
            migrations.copy_before(file, number)
            connection = duckdb.connect(str(file), config=_settings(memory_limit))
        migrations.apply(connection, wanted)
    except duckdb.Error as error:
        raise _in_words(file, error) from error
    return connection


def _settings(memory_limit: str) -> dict[str, str | bool | int | float | list[str]]:
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
    text = str(error).splitlines()[0]
    if "lock on file" in text or "Conflicting lock" in text:
        return StoreLocked(
            f"The library {file} is open in another process.",
            "Let soundforge_nb open it: connect() attaches to the application that has it.",
        )
    return StoreError(
        f"The library {file} can't be opened: {text}",
        "Nothing was changed. Restore a copy of the file, or move it away to begin a new library.",
    )
