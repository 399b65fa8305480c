"""The store with its journal: what was noted is durable at once, and everybody who looks finds it told."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pytest

from soundforge_nb.errors import StoreError
from soundforge_nb.store import store as store_module
from soundforge_nb.store.faults import FULL
from soundforge_nb.store.journal import Event
from soundforge_nb.store.session import Session
from soundforge_nb.store.store import Store


def tell(session: Session, events: Sequence[Event], after_crash: bool) -> None:
    """Each event becomes a setting; after a crash it may be there already."""
    columns = {"name": "VARCHAR", "value": "JSON"}
    rows = [{"name": event["key"], "value": json.dumps(event.get("value", 1))} for event in events]
    if any(event.get("bad") for event in events):
        raise duckdb.ConversionException("no such thing")
    session.insert("settings", columns, rows, unless=["name"] if after_crash else ())


def names(session: Session) -> list[str]:
    return [row[0] for row in session.rows("SELECT name FROM settings ORDER BY name")]


def events(*keys: str) -> list[Event]:
    return [{"key": key} for key in keys]


def run(database: Path, test: Callable[[Store], Awaitable[None]], fold: Any = tell) -> None:
    async def live() -> None:
        store = Store(database, fold=fold)
        await store.start()
        async with asyncio.timeout(60):
            try:
                await test(store)
            finally:
                await store.stop()

    asyncio.run(live())


def test_reads_writes_and_who_comes_later_find_it_told(database: Path) -> None:
    async def test(store: Store) -> None:
        await store.note("note", events("a", "b"))
        assert await store.read("names", names) == ["a", "b"]
        await store.note("note", events("c"))
        assert await store.write("names", names) == ["a", "b", "c"]
        await store.note("note", events("d"))
        await store.settle()
        with store.cursor() as connection:
            assert connection.execute("SELECT count(*) FROM settings").fetchall() == [(4,)]
        await store.note("note", events("e"))

    run(database, test)
    again = Store(database)
    again.open()
    assert again.submit("names", names).result(30) == ["a", "b", "c", "d", "e"]
    again.close()
    assert list(database.parent.iterdir()) == [database]


def test_the_tables_are_told_though_nobody_asks(database: Path) -> None:
    told = asyncio.Event()

    async def test(store: Store) -> None:
        loop = asyncio.get_running_loop()

        def heard(session: Session, events: Sequence[Event], after_crash: bool) -> None:
            tell(session, events, after_crash)
            loop.call_soon_threadsafe(told.set)

        store._fold = heard
        await store.note("note", events("a"))
        await told.wait()

    run(database, test)


def test_who_minds_what_is_untold_need_not_wait_for_it(database: Path) -> None:
    async def test(store: Store) -> None:
        def look(session: Session) -> tuple[list[str], list[str]]:
            before = list(session.untold)
            session.remember(events("remembered"))
            return before, list(session.untold)

        await store.note("note", events("a"))
        assert await store.write("look", look, tell_first=False) == (["a"], ["a", "remembered"])
        assert [event["key"] for event in store.untold] == ["a", "remembered"]
        # One in the group wants the tables told: then nothing is untold for anybody.
        assert await store.write("look", lambda session: list(session.untold)) == []
        assert await store.read("names", names) == ["a", "remembered"]

    run(database, test)


def test_what_a_failed_unit_remembered_is_forgotten(database: Path) -> None:
    async def test(store: Store) -> None:
        def fail(session: Session) -> None:
            session.remember(events("a"))
            raise KeyError("no")

        with pytest.raises(KeyError):
            await store.write("fail", fail)
        assert store.untold == []

    run(database, test)


def test_one_that_can_not_be_told_is_dropped_and_the_others_are_told(
    database: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def test(store: Store) -> None:
        await store.note("note", [*events("a"), {"key": "bad", "bad": True}, *events("c")])
        assert await store.read("names", names) == ["a", "c"]
        assert "what became of bad can't be told" in caplog.text

    run(database, test)


def test_on_a_full_disk_it_stays_noted_and_reads_go_on(database: Path) -> None:
    full = [True]

    def tell_unless_full(session: Session, events: Sequence[Event], after_crash: bool) -> None:
        if full:
            raise duckdb.IOException("IO Error: Could not write file: No space left on device")
        tell(session, events, after_crash)

    async def test(store: Store) -> None:
        await store.note("note", events("a"))
        assert await store.read("names", names) == []
        with pytest.raises(StoreError) as caught:
            await store.write("names", names)
        assert caught.value.kind == FULL
        full.clear()
        assert await store.write("names", names) == ["a"]

    run(database, test, tell_unless_full)


def test_a_journal_that_can_not_be_written_is_said(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(store: Store) -> None:
        for number, kind in ((28, FULL), (5, "")):
            with (
                monkeypatch.context() as patch,
                pytest.raises(StoreError, match="could not be written") as caught,
            ):

                def refuse(*_: Any, number: int = number) -> None:
                    raise OSError(number, "refused")

                patch.setattr(store._journal, "append", refuse)
                await store.note("note", events("a"))
            assert (caught.value.kind == FULL) is (kind == FULL)
        with pytest.raises(ValueError, match="JSON"):
            await store.note("note", [{"key": "a", "value": float("nan")}])
        assert await store.read("names", names) == []

    run(database, test)


def test_an_invalidated_database_is_told_again_after_it_was_opened_anew(database: Path) -> None:
    seen: list[bool] = []

    def once_fatal(session: Session, events: Sequence[Event], after_crash: bool) -> None:
        seen.append(after_crash)
        tell(session, events, after_crash)
        if len(seen) == 1:
            raise duckdb.FatalException("FATAL Error")

    async def test(store: Store) -> None:
        await store.note("note", events("a"))
        assert await store.read("names", names) == ["a"]
        # Nobody knows what the lost instance had committed.
        assert seen == [False, True]

    run(database, test, once_fatal)


def test_a_store_that_follows_one_that_crashed_knows_what_it_remembered(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test() -> None:
        store = Store(database, fold=tell)
        await store.start()
        await store.note("note", events("noted"))
        await store.write("claim", lambda session: session.remember(events("remembered")), tell_first=False)

        def refuse(*_: Any) -> None:
            raise StoreError("The library can't be opened.")

        def fatal(session: Session) -> None:
            raise duckdb.FatalException("FATAL")

        with monkeypatch.context() as patch:
            patch.setattr(store_module, "open_database", refuse)
            with pytest.raises(StoreError):
                await store.write("fatal", fatal, tell_first=False)
        await store.stop()
        after = Store(database, fold=tell, untold=store.untold)
        await after.start()
        assert await after.read("names", names) == ["noted", "remembered"]
        await after.stop()

    asyncio.run(test())


def test_a_journal_that_can_not_be_told_at_a_start_is_a_sentence_and_stays(database: Path) -> None:
    def refuse(session: Session, events: Sequence[Event], after_crash: bool) -> None:
        raise duckdb.IOException("IO Error: Could not write file: No space left on device")

    async def test(store: Store) -> None:
        await store.note("note", events("a"))

    run(database, test, refuse)
    for _ in range(2):
        with pytest.raises(StoreError, match=r"its journal.*disk is full"):
            Store(database, fold=refuse).open()
    journal = database.with_name(f"{database.name}.journal")
    noted = journal.read_bytes()
    journal.unlink()
    journal.mkdir()
    with pytest.raises(StoreError, match="its journal"):
        Store(database, fold=tell).open()
    journal.rmdir()
    journal.write_bytes(noted)
    again = Store(database, fold=tell)
    again.open()
    assert again.submit("names", names).result(30) == ["a"]
    again.close()


#: Notes one event after another and names each on stdout once it is durable; nothing is ever told.
NOTER = """
import asyncio, sys
from pathlib import Path
from soundforge_nb.store import store as store_module
from soundforge_nb.store.store import Store

async def main():
    store_module.TELL_SECONDS = 1e9
    store = Store(Path(sys.argv[1]))
    await store.start()
    number = 0
    while True:
        await store.note("note", [{"key": f"{number:06d}"}])
        print(f"{number:06d}", flush=True)
        number += 1

asyncio.run(main())
"""


@pytest.mark.parametrize("noted", [1, 40, 333])
def test_a_killed_process_loses_nothing_that_was_noted(database: Path, noted: int) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", NOTER, str(database)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        told = [process.stdout.readline().strip() for _ in range(noted)]
        process.kill()
        told += process.stdout.read().split()

    async def test(store: Store) -> None:
        found = await store.read("names", names)
        assert found[: len(told)] == told
        # One more may have been durable than could still be said.
        assert len(found) - len(told) in (0, 1)

    run(database, test)
