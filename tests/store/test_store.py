"""The store: group commits in which a bad unit fails alone, and an answer for every unit."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import duckdb
import pytest

from soundforge_nb.errors import StoreError
from soundforge_nb.lifecycle.telemetry import Telemetry
from soundforge_nb.store import store as store_module
from soundforge_nb.store.faults import CLOSED
from soundforge_nb.store.session import Session
from soundforge_nb.store.store import Store


class Held:
    """Keeps the writing thread busy, so that what is submitted meanwhile makes one group."""

    def __init__(self, store: Store) -> None:
        self._go = threading.Event()
        busy = threading.Event()

        def work(session: Session) -> None:
            busy.set()
            self._go.wait(30)

        store.submit("hold", work)
        assert busy.wait(30)

    def release(self) -> None:
        self._go.set()


def transaction(session: Session) -> int:
    return int((session.one("SELECT txid_current()") or (0,))[0])


def test_units_that_wait_are_committed_together(store: Store) -> None:
    held = Held(store)
    futures = [store.submit("unit", transaction) for _ in range(50)]
    held.release()
    assert len({future.result(30) for future in futures}) == 1
    assert store.submit("unit", transaction).result(30) != futures[0].result()


def test_a_failing_unit_fails_alone(store: Store, put: Any, names: Any) -> None:
    held = Held(store)
    futures = [store.submit("put", put(name)) for name in ("a", "b", "a", "c")]
    held.release()
    assert [futures[n].result(30) for n in (0, 1, 3)] == ["a", "b", "c"]
    with pytest.raises(StoreError, match="refused put"):
        futures[2].result(30)
    assert names(store) == ["a", "b", "c"]


@pytest.mark.parametrize("error", [ValueError("wrong"), KeyboardInterrupt(), SystemExit(3)])
def test_whatever_a_unit_raises_reaches_its_caller_and_the_next_goes_on(
    store: Store, put: Any, names: Any, error: BaseException
) -> None:
    def work(session: Session) -> None:
        put("lost")(session)
        raise error

    with pytest.raises(type(error)):
        store.submit("bad", work).result(30)
    store.submit("put", put("kept")).result(30)
    assert names(store) == ["kept"]


def test_a_caller_that_goes_away_takes_nothing_with_it(store: Store, put: Any, names: Any) -> None:
    async def test() -> None:
        held = Held(store)
        gone = asyncio.create_task(store.write("put", put("before it ran")))
        stays = asyncio.create_task(store.write("put", put("stays")))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.wait([gone])
        held.release()
        assert await stays == "stays"

        entered, go = threading.Event(), threading.Event()

        def slow(session: Session) -> None:
            entered.set()
            go.wait(30)
            put("while it ran")(session)

        late = asyncio.create_task(store.write("slow", slow))
        await asyncio.to_thread(entered.wait, 30)
        late.cancel()
        await asyncio.wait([late])
        go.set()
        await store.write("put", put("after"))

    asyncio.run(test())
    assert names(store) == ["after", "stays", "while it ran"]


def test_reads_see_one_moment_and_write_nothing(store: Store, put: Any) -> None:
    async def test() -> None:
        def twice(session: Session) -> tuple[int, int]:
            first = session.rows("SELECT count(*) FROM settings")[0][0]
            store.submit("put", put("meanwhile")).result(30)
            return first, session.rows("SELECT count(*) FROM settings")[0][0]

        assert await store.read("twice", twice) == (0, 0)
        with pytest.raises(StoreError, match="read-only"):
            await store.read("bad", put("x"))
        assert await store.read("count", lambda s: s.one("SELECT count(*) FROM settings")) == (1,)

    asyncio.run(test())


def test_a_close_commits_what_waits_and_refuses_what_comes_after(
    database: Path, put: Any, names: Any
) -> None:
    store = Store(database)
    store.open()
    held = Held(store)
    futures = [store.submit("put", put(f"{n}")) for n in range(10)]
    closing = threading.Thread(target=store.close)
    closing.start()
    held.release()
    closing.join(30)
    assert [future.result(30) for future in futures] == [f"{n}" for n in range(10)]
    for call in (store.submit, store.read):
        with pytest.raises(StoreError) as caught:
            result = call("late", put("late"))
            asyncio.run(result)  # type: ignore[arg-type]
        assert caught.value.kind == CLOSED
    with pytest.raises(StoreError, match="closed"):
        store.cursor()
    store.close()
    again = Store(database)
    again.open()
    assert len(names(again)) == 10
    again.close()


def test_a_close_interrupts_a_long_query(store: Store, database: Path) -> None:
    """A restarted store must find the file free, whoever reads."""
    began, ended = threading.Event(), threading.Event()

    def read() -> None:
        connection = store.cursor()
        began.set()
        try:
            with pytest.raises(duckdb.Error):
                connection.execute("SELECT count(*) FROM range(1000000000000) a").fetchall()
        finally:
            connection.close()
            ended.set()

    reading = threading.Thread(target=read)
    reading.start()
    assert began.wait(30)
    store.close()
    assert ended.wait(30)
    reading.join(30)
    again = Store(database)
    again.open()
    again.close()


def test_an_invalidated_database_is_opened_again_and_the_group_repeated(
    store: Store, put: Any, names: Any
) -> None:
    fatal = [duckdb.FatalException("FATAL Error: the disk is full")]

    def work(session: Session) -> str:
        put("fatal")(session)
        if fatal:
            raise fatal.pop()
        return "done"

    async def read() -> Any:
        return await store.read("names", lambda session: session.rows("SELECT name FROM settings"))

    store.submit("put", put("before")).result(30)
    asyncio.run(read())
    held = Held(store)
    futures = [store.submit("put", put("neighbour")), store.submit("fatal", work)]
    held.release()
    assert [future.result(30) for future in futures] == ["neighbour", "done"]
    assert names(store) == ["before", "fatal", "neighbour"]
    assert len(asyncio.run(read())) == 3


def test_a_store_that_can_not_be_opened_again_crashes_and_answers_everyone(
    database: Path, put: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test() -> None:
        store = Store(database)
        await store.start()
        life = asyncio.create_task(store.run())

        def refuse(*_: Any) -> None:
            raise StoreError("The library can't be opened.")

        def fatal(session: Session) -> None:
            raise duckdb.FatalException("FATAL")

        monkeypatch.setattr(store_module, "open_database", refuse)
        held = Held(store)
        futures = [store.submit("fatal", fatal), *(store.submit("put", put(f"{n}")) for n in range(3))]
        held.release()
        for future in futures:
            with pytest.raises(StoreError):
                await asyncio.wrap_future(future)
        with pytest.raises(StoreError, match="can't be opened"):
            await life
        await store.stop()

    asyncio.run(test())


def test_a_cancelled_life_leaves_the_store_writing(store: Store, put: Any) -> None:
    async def test() -> None:
        life = asyncio.create_task(store.run())
        await asyncio.sleep(0)
        life.cancel()
        await asyncio.wait([life])
        assert await store.write("put", put("a")) == "a"

    asyncio.run(test())


def test_a_full_disk_is_said_in_a_sentence(store: Store) -> None:
    def work(session: Session) -> None:
        raise duckdb.IOException("IO Error: Could not write file: No space left on device")

    with pytest.raises(StoreError, match="disk is full") as caught:
        store.submit("put", work).result(30)
    assert caught.value.kind == "disk_full"


def test_five_timings_of_every_query(store: Store, telemetry: Telemetry, put: Any) -> None:
    seen: list[tuple[dict[str, float], str]] = []
    telemetry.attach("test", ["store.query"], lambda e, m, meta: seen.append((dict(m), meta["label"])))
    store.submit("put", put("a")).result(30)
    asyncio.run(store.read("read", lambda session: session.rows("SELECT * FROM settings")))
    assert [label for _, label in seen] == ["put", "read"]
    for measured, _ in seen:
        assert set(measured) == {
            "total_seconds",
            "queue_seconds",
            "query_seconds",
            "decode_seconds",
            "idle_seconds",
        }
        assert all(value >= 0 for value in measured.values())
        assert measured["total_seconds"] >= measured["queue_seconds"] + measured["query_seconds"]
