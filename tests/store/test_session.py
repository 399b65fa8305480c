"""Set-based inserts: missing columns are NULL, strangers are refused, doubles are left out or replaced."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from soundforge_nb.store.session import Session
from soundforge_nb.store.store import Store

COLUMNS = {"name": "VARCHAR", "value": "JSON"}


@pytest.fixture
def session(store: Store) -> Iterator[Session]:
    with store.cursor() as connection:
        yield Session(connection)


def rows(session: Session) -> list[tuple[Any, ...]]:
    return session.rows("SELECT name, value FROM settings ORDER BY name")


def test_rows_go_in_by_one_statement(session: Session) -> None:
    session.insert("settings", COLUMNS, [{"name": "a", "value": "1"}, {"value": "2", "name": "b"}])
    assert rows(session) == [("a", "1"), ("b", "2")]
    assert session.one("SELECT name FROM settings WHERE name = 'none'") is None
    assert session.dicts("SELECT name FROM settings ORDER BY name")[0] == {"name": "a"}


def test_a_missing_value_is_null(session: Session) -> None:
    session.execute("CREATE TEMP TABLE t (a INTEGER, b VARCHAR)")
    session.insert("t", {"a": "INTEGER", "b": "VARCHAR"}, [{"a": 1}, {"b": "x"}])
    assert session.rows("SELECT * FROM t ORDER BY a NULLS LAST") == [(1, None), (None, "x")]


def test_no_rows_is_no_statement(session: Session) -> None:
    session.insert("there_is_no_such_table", COLUMNS, [])


def test_a_value_without_a_column_is_refused(session: Session) -> None:
    with pytest.raises(ValueError, match="settings has no column colour"):
        session.insert("settings", COLUMNS, [{"name": "a", "value": "1", "colour": "red"}])


def test_unless_leaves_out_what_is_there_nulls_included(session: Session) -> None:
    session.execute("CREATE TEMP TABLE t (a INTEGER, b VARCHAR)")
    columns = {"a": "INTEGER", "b": "VARCHAR"}
    session.insert("t", columns, [{"a": 1, "b": None}])
    session.insert("t", columns, [{"a": 1, "b": None}, {"a": 1, "b": "x"}], unless=("a", "b"))
    assert session.rows("SELECT * FROM t ORDER BY b NULLS FIRST") == [(1, None), (1, "x")]


def test_replace_lets_the_old_row_give_way(session: Session) -> None:
    session.insert("settings", COLUMNS, [{"name": "a", "value": "1"}])
    for value in ("2", "3"):
        session.insert(
            "settings", COLUMNS, [{"name": "a", "value": value}, {"name": value, "value": "0"}], replace=True
        )
    assert rows(session) == [("2", "0"), ("3", "0"), ("a", "3")]
