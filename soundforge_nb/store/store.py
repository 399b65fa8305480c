"""The database's owner: its file, its reading threads, and who is told when."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
import weakref
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from soundforge_nb.errors import StoreError
from soundforge_nb.lifecycle.telemetry import Telemetry
from soundforge_nb.store.connect import open_database
from soundforge_nb.store.faults import closed, refused
from soundforge_nb.store.journal import Event, Journal, line_of
from soundforge_nb.store.session import Session
from soundforge_nb.store.unit import Unit, Work, nothing
from soundforge_nb.store.writing import Fold, Writing

log = logging.getLogger(__name__)

T = TypeVar("T")

#: How long an end waits for the readers it interrupted to let go of the file.
INTERRUPT_SECONDS = 2.0
#: How long the tables may not know of what the journal holds, while nobody asks them.
TELL_SECONDS = 0.25


class Store(Writing):
    """Opens the database and runs units of work on it.

    `write` units that arrive while a commit runs are committed together by the next one. A unit that
    fails takes no other with it: DuckDB has no savepoints, so the group is rolled back and each unit
    tried alone. Where DuckDB gives the whole instance up, the file is opened again and the group repeated.

    `note` makes events durable in the journal beside it. The tables are told of them by `fold` before the
    next unit of work or read, and within a moment if there is none.
    """

    def __init__(
        self,
        file: Path,
        *,
        memory_limit: str = "1GB",
        telemetry: Telemetry | None = None,
        readers: int = 2,
        fold: Fold | None = None,
        untold: Sequence[Event] = (),
    ) -> None:
        journal = Journal(file.with_name(f"{file.name}.journal"), untold)
        super().__init__(journal, fold, telemetry or Telemetry())
        self._file = file
        self._telling: asyncio.TimerHandle | None = None
        self._memory_limit = memory_limit
        self._reader_count = readers
        self._writer: threading.Thread | None = None
        self._readers: ThreadPoolExecutor | None = None
        self._local = threading.local()
        self._reading: list[duckdb.DuckDBPyConnection] = []
        self._generation = 0
        self._cursors: weakref.WeakSet[duckdb.DuckDBPyConnection] = weakref.WeakSet()

    @property
    def untold(self) -> Sequence[Event]:
        """What the tables were not told of; where this store has ended badly, for the one that follows it."""
        return list(self._journal.events)

    async def start(self) -> None:
        await asyncio.to_thread(self.open)

    async def stop(self) -> None:
        if self._telling is not None:
            self._telling.cancel()
            self._telling = None
        await asyncio.to_thread(self.close)

    async def run(self) -> None:
        """Live until cancelled; raises where the writing thread can't go on."""
        await asyncio.wrap_future(self._died)

    def open(self) -> None:
        """Open and migrate the file, tell it what a crash left in the journal, and start the writing thread.

        Raises
        ------
        StoreError
            It can't be opened, or not be told.
        """
        self._connection = open_database(self._file, self._memory_limit)
        self._generation += 1
        try:
            self._journal.open()
            if self._journal.events:
                log.info("the journal holds %s events", len(self._journal.events))
                self._transaction([Unit("fold", nothing)], 0.0, after_crash=True)
        except (OSError, duckdb.Error) as error:
            self._journal.close()
            self._connection.close()
            self._connection = None
            raise refused("its journal", error) from error
        self._readers = ThreadPoolExecutor(self._reader_count, thread_name_prefix="store-reader")
        self._died = Future()
        # Who waits for it may be cancelled, this may not.
        self._died.set_running_or_notify_cancel()
        self._writer = threading.Thread(target=self._live, name="store-writer", daemon=True)
        self._writer.start()
        self._accepting = True

    def close(self) -> None:
        """Commit what is waiting, checkpoint, and let go of the file."""
        with self._gate:
            self._accepting = False
        if self._writer is not None:
            self._units.put(Unit("fold", nothing))
            self._units.put(None)
            self._writer.join()
            self._writer = None
        if self._readers is not None:
            self._readers.shutdown(wait=True)
            for reader in self._reading:
                reader.close()
        self._end_cursors()
        self._journal.close()
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                connection.execute("CHECKPOINT")
            except duckdb.Error as error:
                log.warning("no checkpoint at the end: %s", error)
            connection.close()

    async def write(self, label: str, work: Work[T], *, tell_first: bool = True) -> T:
        """Run `work` in a transaction; returns after its commit.

        Before it the tables are told of the journal, unless `work` minds what they don't know itself
        (`Session.untold`).

        Raises
        ------
        StoreError
            The commit failed; nothing of `work` stands.
        """
        return await asyncio.wrap_future(self.submit(label, work, tell_first=tell_first))

    async def note(self, label: str, events: Sequence[Event]) -> None:
        """Make events durable; the tables are told of them before anybody looks.

        Raises
        ------
        StoreError
            They could not be written; nothing of them stands.
        ValueError, TypeError
            One is no JSON, or no text.
        """
        unit = Unit(label, nothing, [line_of(event) for event in events], events)
        await asyncio.wrap_future(self._put(unit))
        if self._telling is None:
            self._telling = asyncio.get_running_loop().call_later(TELL_SECONDS, self._tell)

    def _tell(self) -> None:
        self._telling = None
        if self._journal.events:
            with contextlib.suppress(StoreError):
                self.submit("fold", nothing)

    async def read(self, label: str, work: Work[T]) -> T:
        """Run `work` on a reading connection, outside the writing thread; it sees one moment."""
        await self.settle()
        unit = Unit(label, work)
        with self._gate:
            if not self._accepting or self._readers is None:
                raise closed()
            answer = self._readers.submit(self._read, unit)
        return await asyncio.wrap_future(answer)

    async def settle(self) -> None:
        """Until the tables know what was noted before; where they can't be told, it stays noted."""
        if self._journal.events:
            try:
                await self.write("fold", nothing)
            except StoreError as error:
                log.warning("the tables could not be told what the journal holds: %s", error)

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection of the caller's own to the same instance, for one thread's use."""
        connection = self._connection
        if connection is None:
            raise closed()
        cursor = connection.cursor()
        self._cursors.add(cursor)
        return cursor

    def _end_cursors(self) -> None:
        """Interrupt what still reads: the file is let go only when its last connection is."""
        self._local = threading.local()
        self._reading.clear()
        until = time.monotonic() + INTERRUPT_SECONDS
        while (cursors := list(self._cursors)) and time.monotonic() < until:
            for cursor in cursors:
                try:
                    cursor.interrupt()
                except duckdb.Error:
                    # It is closed already, though somebody still holds on to it.
                    self._cursors.discard(cursor)
            time.sleep(0.005)
        for cursor in self._cursors:
            # Forgotten by who asked for it, or deaf.
            cursor.close()

    def _read(self, unit: Unit) -> Any:
        local = self._local
        if getattr(local, "generation", None) != self._generation:
            local.generation = self._generation
            local.connection = self.cursor()
            self._reading.append(local.connection)
            local.idle_since = time.perf_counter()
        connection = local.connection
        session = Session(connection)
        started = time.perf_counter()
        try:
            connection.execute("BEGIN TRANSACTION READ ONLY")
            try:
                return unit.work(session)
            finally:
                connection.execute("ROLLBACK")
        except duckdb.Error as error:
            raise refused(unit.label, error) from error
        finally:
            self._report(unit, session, started, started - local.idle_since)
            local.idle_since = time.perf_counter()

    def _open_again(self, error: Exception) -> None:
        log.error("the database is invalidated and is opened again: %s", error)
        self._generation += 1
        self._end_cursors()
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        self._connection = open_database(self._file, self._memory_limit)
