"""One unit of work's view of the database: statements, and how long they took."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import duckdb

from soundforge_nb.store.journal import Event


class Session:
    """Runs statements on a connection and adds up where the time went.

    A unit of work gets one and must be a pure function of it: when a group commit fails, its units
    are tried again alone, so a unit may run twice.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, untold: Sequence[str] = ()) -> None:
        self._connection = connection
        self._untold = list(untold)
        #: Events that the journal remembers once the unit's transaction is committed.
        self.events: list[Event] = []
        self.query_seconds = 0.0
        self.decode_seconds = 0.0

    @property
    def untold(self) -> list[str]:
        """What the tables were not told of yet, by its key; this unit's own events among them."""
        return self._untold

    def remember(self, events: Sequence[Event]) -> None:
        """Have the journal remember events that a crash may forget."""
        self.events.extend(events)
        self._untold.extend(event["key"] for event in events)

    def execute(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> None:
        """Run a statement for its effect."""
        started = time.perf_counter()
        self._connection.execute(sql, parameters)
        self.query_seconds += time.perf_counter() - started

    def rows(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement and fetch all its rows."""
        self.execute(sql, parameters)
        started = time.perf_counter()
        rows: list[tuple[Any, ...]] = self._connection.fetchall()
        self.decode_seconds += time.perf_counter() - started
        return rows

    def dicts(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> list[dict[str, Any]]:
        """Run a statement and fetch all its rows, each as a mapping by column name."""
        rows = self.rows(sql, parameters)
        names = [column[0] for column in self._connection.description or ()]
        return [dict(zip(names, row, strict=True)) for row in rows]

    def one(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> tuple[Any, ...] | None:
        """Run a statement and fetch its first row, or None."""
        rows = self.rows(sql, parameters)
        return rows[0] if rows else None

    def insert(
        self,
        table: str,
        columns: dict[str, str],
        rows: Sequence[dict[str, Any]],
        unless: Sequence[str] = (),
        replace: bool = False,
    ) -> None:
        """Insert `rows` by one set-based statement.

        Parameters
        ----------
        table : str
            A table of ours; never a text from outside.
        columns : dict of str to str
            Column names and their DuckDB types; at least one.
        rows : sequence of dict
            One mapping a row; a missing column is NULL.
        unless : sequence of str
            Leave out rows that agree in these columns with a row that is there.
        replace : bool
            A row of the same primary key gives way.

        Raises
        ------
        ValueError
            A row has a value for which there is no column: it would be lost without a word.
        """
        if unknown := {name for row in rows for name in row} - columns.keys():
            raise ValueError(f"{table} has no column {', '.join(sorted(unknown))}")
        if not rows:
            return
        # Table, column and type names are literals of this package, the values are parameters.
        values = ", ".join(
            f"unnest(${index}::{type_}[]) AS {name}" for index, (name, type_) in enumerate(columns.items(), 1)
        )
        verb = "INSERT OR REPLACE" if replace else "INSERT"
        sql = f"{verb} INTO {table} ({', '.join(columns)}) SELECT * FROM (SELECT {values}) AS given"
        if unless:
            same = " AND ".join(f"there.{name} IS NOT DISTINCT FROM given.{name}" for name in unless)
            sql += f" WHERE NOT EXISTS (SELECT 1 FROM {table} AS there WHERE {same})"
        self.execute(sql, [[row.get(name) for row in rows] for name in columns])
