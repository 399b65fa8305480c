"""A look into a database that nobody has open: is it whole, and of which schema? Nothing is written."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path

import duckdb

from soundforge_nb.store import migrations
from soundforge_nb.store.connect import _in_words, _settings

#: A large library is not read to its end: this long only.
READ_SECONDS = 15.0


@dataclass(frozen=True)
class Inspection:
    """What a database holds.

    Attributes
    ----------
    schema, newest : int
        The schema it has, and the newest this version knows.
    rows : dict
        Rows by table, of those that were read.
    whole : bool
        Whether every row was read within the time.
    """

    schema: int
    newest: int
    rows: dict[str, int]
    whole: bool


def inspect_database(
    file: Path, memory_limit: str = "1GB", *, read_seconds: float = READ_SECONDS
) -> Inspection:
    """Read every row of a database, within a time.

    Raises
    ------
    StoreNewer
        A newer version wrote it.
    StoreLocked
        Another process has it open.
    StoreError
        It is damaged, or no database.
    """
    wanted = migrations.known()
    rows: dict[str, int] = {}
    try:
        with duckdb.connect(str(file), read_only=True, config=_settings(memory_limit)) as connection:
            schema = migrations.schema_number(connection)
            migrations.check_not_newer(schema, file, wanted)
            stop = threading.Timer(read_seconds, connection.interrupt)
            stop.start()
            try:
                _read_all(connection, rows)
                whole = True
            except duckdb.InterruptException:
                whole = False
            finally:
                stop.cancel()
    except duckdb.Error as error:
        raise _in_words(file, error) from error
    return Inspection(schema, wanted[-1].number, rows, whole)


def _read_all(connection: duckdb.DuckDBPyConnection, rows: dict[str, int]) -> None:
    tables = connection.execute(
        "SELECT table_name FROM duckdb_tables() WHERE NOT internal ORDER BY estimated_size"
    ).fetchall()
    for (table,) in tables:
        # A hash over the row touches every column; a mere count reads none.
        found = connection.execute(f'SELECT count(*), bit_xor(hash(t)) FROM "{table}" t').fetchone()
        rows[table] = int(found[0]) if found else 0
