"""A person's own query: exactly one SELECT, read-only, bounded in time and rows, answered as Arrow."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from soundforge_nb.errors import QueryError

_BATCH_ROWS = 10_000


@dataclass(frozen=True)
class Bounds:
    timeout_seconds: float
    max_rows: int
    max_bytes: int = 512 * 1024 * 1024


def run_query(connection: duckdb.DuckDBPyConnection, sql: str, bounds: Bounds) -> bytes:
    """Run `sql` on a connection of its own and return its rows as an Arrow IPC stream.

    Raises
    ------
    QueryError
        It is not one SELECT, it is wrong, or it outgrew its bounds.
    """
    _check_is_one_select(connection, sql)
    timer = threading.Timer(bounds.timeout_seconds, connection.interrupt)
    timer.daemon = True
    timer.start()
    try:
        # A data-modifying CTE is a SELECT too; the read-only transaction is what refuses it.
        connection.execute("BEGIN TRANSACTION READ ONLY")
        try:
            return _as_stream(connection.sql(sql), bounds)
        finally:
            connection.execute("ROLLBACK")
    except duckdb.InterruptException as error:
        raise QueryError(
            f"The query ran longer than {bounds.timeout_seconds:g} s and was stopped.",
            "Narrow it, or raise sql_timeout_seconds.",
            kind="query_timeout",
        ) from error
    except duckdb.Error as error:
        raise QueryError(f"The query failed: {error}", kind="query_failed") from error
    finally:
        timer.cancel()


def _check_is_one_select(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    try:
        statements = connection.extract_statements(sql)
    except duckdb.Error as error:
        raise QueryError(f"The query can't be read: {error}", kind="query_syntax") from error
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise QueryError(
            "Only one SELECT at a time is answered here.",
            "Read with a single SELECT; what changes the library goes through forge's own calls.",
            kind="query_not_select",
        )


def _as_stream(answer: duckdb.DuckDBPyRelation, bounds: Bounds) -> bytes:
    reader = answer.to_arrow_reader(_BATCH_ROWS)
    sink = pa.BufferOutputStream()
    rows = 0
    # An open result would keep the transaction from ending.
    with contextlib.closing(reader), pa.ipc.new_stream(sink, reader.schema) as writer:
        for batch in reader:
            rows += batch.num_rows
            if rows > bounds.max_rows or sink.tell() > bounds.max_bytes:
                raise QueryError(
                    f"The query's answer is larger than {bounds.max_rows} rows or {bounds.max_bytes} bytes.",
                    "Add a LIMIT, or aggregate in SQL.",
                    kind="query_too_large",
                )
            writer.write_batch(batch)
    value: bytes = sink.getvalue().to_pybytes()
    return value
