"""A person's query: one SELECT, bounded; every way out that was found is closed, and stays closed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from soundforge_nb.errors import QueryError
from soundforge_nb.store.reader import Bounds, run_query
from soundforge_nb.store.store import Store

BOUNDS = Bounds(timeout_seconds=30.0, max_rows=1000)


@pytest.fixture
def ask(store: Store, put: Any) -> Any:
    """Runs a query; whatever became of it, the writer must still write afterwards."""
    asked = 0

    def run(sql: str, bounds: Bounds = BOUNDS) -> pa.Table:
        nonlocal asked
        asked += 1
        connection = store.cursor()
        try:
            return pa.ipc.open_stream(run_query(connection, sql, bounds)).read_all()
        finally:
            connection.close()
            store.submit("put", put(f"after {asked}")).result(30)

    return run


def test_rows_come_as_arrow(ask: Any) -> None:
    table = ask("SELECT range AS n, 'täxt' AS t FROM range(3)")
    assert table.to_pydict() == {"n": [0, 1, 2], "t": ["täxt"] * 3}
    assert ask("SELECT * FROM tracks").num_rows == 0
    assert ask("FROM jobs SELECT count(*) AS n").to_pydict() == {"n": [0]}
    assert ask("WITH a AS (SELECT 1 AS x) SELECT x FROM a;").to_pydict() == {"x": [1]}


@pytest.mark.parametrize(
    "sql",
    [
        "COPY (SELECT 1) TO '{folder}/out.csv'",
        "ATTACH '{folder}/other.duckdb' AS other",
        "SET memory_limit = '64GB'",
        "PRAGMA database_list",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SELECT 1; SELECT 2",
        "COMMIT; INSERT INTO settings VALUES ('x', '1')",
        "SELECT 1; COMMIT; INSERT INTO settings VALUES ('x', '1')",
        "INSERT INTO settings VALUES ('x', '1')",
        "DELETE FROM settings",
        "CREATE TABLE x (a INTEGER)",
        "DROP TABLE jobs",
        "CALL enable_logging()",
        "EXPORT DATABASE '{folder}/dump'",
        "CHECKPOINT",
        "BEGIN",
        "",
    ],
)
def test_what_is_not_one_select_is_refused(ask: Any, sql: str, tmp_path: Path) -> None:
    with pytest.raises(QueryError) as caught:
        ask(sql.format(folder=tmp_path))
    assert caught.value.kind == "query_not_select"
    assert not list(tmp_path.glob("*.csv"))


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT * FROM read_blob('/etc/hostname')",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM glob('/etc/*')",
        "SELECT * FROM parquet_scan('{folder}/a.parquet')",
        "WITH gone AS (DELETE FROM settings RETURNING name) SELECT * FROM gone",
        "WITH new AS (INSERT INTO settings VALUES ('x', '1') RETURNING name) SELECT * FROM new",
        "SELECT getenv('PATH')",
        "SELECT * FROM bounds",
        "SELECT * FROM sql",
        "SELECT nothing FROM jobs",
        "SELECT * FROM no_such_table",
        "SELECT $1",
    ],
)
def test_every_way_out_is_closed(ask: Any, names: Any, store: Store, sql: str, tmp_path: Path) -> None:
    with pytest.raises(QueryError) as caught:
        ask(sql.format(folder=tmp_path))
    assert caught.value.kind == "query_failed"
    assert names(store) == ["after 1"]


def test_what_can_not_be_read_is_said(ask: Any) -> None:
    with pytest.raises(QueryError, match="can't be read") as caught:
        ask("SELEC 1")
    assert caught.value.kind == "query_syntax"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) FROM range(100000000000000)",
        # Streams its rows, so the interruption comes while they are fetched.
        "SELECT a.range FROM range(1000000000) a WHERE a.range % 100000007 = 3",
    ],
)
def test_a_long_query_is_interrupted(ask: Any, sql: str) -> None:
    with pytest.raises(QueryError, match=r"longer than 0\.2 s") as caught:
        ask(sql, Bounds(timeout_seconds=0.2, max_rows=10_000_000))
    assert caught.value.kind == "query_timeout"


def test_too_many_rows_are_refused(ask: Any) -> None:
    assert ask("SELECT * FROM range(1000)").num_rows == 1000
    with pytest.raises(QueryError, match="larger than 1000 rows") as caught:
        ask("SELECT * FROM range(1001)")
    assert caught.value.kind == "query_too_large"


def test_too_many_bytes_are_refused(ask: Any) -> None:
    with pytest.raises(QueryError) as caught:
        ask("SELECT repeat('x', 1000) FROM range(100000)", Bounds(30.0, 1_000_000, max_bytes=1_000_000))
    assert caught.value.kind == "query_too_large"


def test_a_query_that_outgrows_memory_ends_alone(tmp_path: Path, put: Any) -> None:
    store = Store(tmp_path / "small.duckdb", memory_limit="20MB")
    store.open()
    connection = store.cursor()
    with pytest.raises(QueryError, match="query failed"):
        run_query(connection, "SELECT list(range) FROM range(50000000)", BOUNDS)
    connection.close()
    assert store.submit("put", put("after")).result(30) == "after"
    store.close()
