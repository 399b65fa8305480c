"""The database's owner: one writing thread with group commits, reading threads, timings of both."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import queue
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from soundforge_nb.errors import StoreError
from soundforge_nb.lifecycle.supervisor import Service
from soundforge_nb.lifecycle.telemetry import Telemetry
from soundforge_nb.store.connect import first_line, open_database
from soundforge_nb.store.journal import Event, Journal, line_of
from soundforge_nb.store.session import Session

log = logging.getLogger(__name__)

T = TypeVar("T")
Work = Callable[[Session], T]
#: Tells the tables of the journal's events; whether a crash may have hidden that some of them know already.
Fold = Callable[[Session, Sequence[Event], bool], None]

#: How long an end waits for the readers it interrupted to let go of the file.
INTERRUPT_SECONDS = 2.0
#: The `kind` of the error where the store is not open, or is being opened again.
CLOSED = "store_closed"
#: The `kind` of the error where a commit found no room: after room was made the same commit passes.
FULL = "disk_full"
#: Units of work that one commit may hold: beyond it a commit's cost grows with its size.
MAX_GROUP = 256
#: How long the tables may not know of what the journal holds, while nobody asks them.
TELL_SECONDS = 0.1


@dataclass
class _Unit:
    label: str
    work: Work[Any]
    #: For the journal alone: as it is written down, and as it is kept.
    lines: Sequence[bytes] = ()
    events: Sequence[Event] = ()
    tell_first: bool = True
    future: Future[Any] = field(default_factory=Future)
    submitted: float = field(default_factory=time.perf_counter)


class Store(Service):
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
        self._file = file
        self._journal = Journal(file.with_name(f"{file.name}.journal"), untold)
        self._fold = fold
        self._telling: asyncio.TimerHandle | None = None
        self._memory_limit = memory_limit
        self._telemetry = telemetry or Telemetry()
        self._reader_count = readers
        self._units: queue.SimpleQueue[_Unit | None] = queue.SimpleQueue()
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._writer: threading.Thread | None = None
        self._readers: ThreadPoolExecutor | None = None
        self._local = threading.local()
        self._reading: list[duckdb.DuckDBPyConnection] = []
        self._generation = 0
        self._cursors: weakref.WeakSet[duckdb.DuckDBPyConnection] = weakref.WeakSet()
        # Nothing may be put behind the mark that ends the writing thread: it would never be answered.
        self._accepting = False
        self._gate = threading.Lock()
        self._died: Future[None] = Future()

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
        """Open and migrate the file, and start the writing thread."""
        self._connection = open_database(self._file, self._memory_limit)
        self._generation += 1
        self._journal.open()
        if self._journal.events:
            log.info("the journal holds %s events that the tables may not know", len(self._journal.events))
            self._transaction([_Unit("fold", _nothing)], 0.0, after_crash=True)
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
            self._units.put(_Unit("fold", _nothing))
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

    def submit(self, label: str, work: Work[T], *, tell_first: bool = True) -> Future[T]:
        """As `write`, from any thread: the future ends after the commit."""
        return self._put(_Unit(label, work, tell_first=tell_first))

    async def note(self, label: str, events: Sequence[Event]) -> None:
        """Make events durable; the tables are told of them before anybody looks.

        Raises
        ------
        StoreError
            They could not be written; nothing of them stands.
        ValueError, TypeError
            One is no JSON, or no text.
        """
        unit = _Unit(label, _nothing, [line_of(event) for event in events], events)
        await asyncio.wrap_future(self._put(unit))
        if self._telling is None:
            self._telling = asyncio.get_running_loop().call_later(TELL_SECONDS, self._tell)

    def _tell(self) -> None:
        self._telling = None
        if self._journal.events:
            with contextlib.suppress(StoreError):
                self.submit("fold", _nothing)

    def _put(self, unit: _Unit) -> Future[Any]:
        with self._gate:
            if not self._accepting:
                raise closed()
            self._units.put(unit)
        return unit.future

    async def read(self, label: str, work: Work[T]) -> T:
        """Run `work` on a reading connection, outside the writing thread; it sees one moment."""
        await self.settle()
        unit = _Unit(label, work)
        with self._gate:
            if not self._accepting or self._readers is None:
                raise closed()
            answer = self._readers.submit(self._read, unit)
        return await asyncio.wrap_future(answer)

    async def settle(self) -> None:
        """Until the tables know what was noted before; where they can't be told, it stays noted."""
        if self._journal.events:
            try:
                await self.write("fold", _nothing)
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

    def _read(self, unit: _Unit) -> Any:
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
            raise _store_error(unit.label, error) from error
        finally:
            self._report(unit, session, started, started - local.idle_since)
            local.idle_since = time.perf_counter()

    def _live(self) -> None:
        """The writing thread's life; whatever ends it, no unit is left without an answer."""
        try:
            self._write_loop()
        except BaseException as error:
            log.critical("the library can't be written any more: %s", error)
            self._died.set_exception(error)
        with self._gate:
            self._accepting = False
        while not self._units.empty():
            unit = self._units.get()
            if unit is not None:
                _fail(unit, closed())

    def _write_loop(self) -> None:
        idle_since = time.perf_counter()
        while (first := self._units.get()) is not None:
            group = [first]
            ended = False
            while len(group) < MAX_GROUP:
                try:
                    unit = self._units.get_nowait()
                except queue.Empty:
                    break
                if unit is None:
                    ended = True
                    break
                group.append(unit)
            # From here on a caller that goes away is no longer heard: its work stands or falls by itself.
            group = [unit for unit in group if unit.future.set_running_or_notify_cancel()]
            noted = [unit for unit in group if unit.events]
            group = [unit for unit in group if not unit.events]
            try:
                self._note(noted, time.perf_counter() - idle_since)
                self._commit_group(group, time.perf_counter() - idle_since)
            except BaseException:
                for unit in (*noted, *group):
                    _fail(unit, closed())
                raise
            idle_since = time.perf_counter()
            if ended:
                return

    def _note(self, units: list[_Unit], idle_seconds: float) -> None:
        """Write what these units note into the journal, all of it at once."""
        if not units:
            return
        started = time.perf_counter()
        try:
            self._journal.append(
                [line for unit in units for line in unit.lines],
                [event for unit in units for event in unit.events],
            )
        except OSError as error:
            for unit in units:
                _fail(unit, _unwritten(unit.label, error))
            return
        session = Session(self._owned())
        session.query_seconds = time.perf_counter() - started
        for unit in units:
            unit.future.set_result(None)
            self._report(unit, session, started, idle_seconds)

    def _owned(self) -> duckdb.DuckDBPyConnection:
        assert self._connection is not None
        return self._connection

    def _commit_group(self, group: list[_Unit], idle_seconds: float, *, again: bool = True) -> None:
        if not group:
            return
        try:
            results = self._transaction(group, idle_seconds, after_crash=not again)
        except BaseException as error:
            if isinstance(error, duckdb.FatalException):
                # After a repeat too, as on a disk that stays full: reads must go on meanwhile.
                self._reopen(error)
                if again:
                    self._commit_group(group, 0.0, again=False)
                    return
            if len(group) > 1:
                for unit in group:
                    self._commit_group([unit], 0.0, again=again)
            else:
                _fail(group[0], error)
            return
        for unit, result in zip(group, results, strict=True):
            unit.future.set_result(result)

    def _transaction(self, group: list[_Unit], idle_seconds: float, *, after_crash: bool) -> list[Any]:
        connection = self._owned()
        tell = bool(self._journal.events) and any(unit.tell_first for unit in group)
        untold = [] if tell else self._journal.keys
        sessions = [Session(connection, untold) for _ in group]
        started = time.perf_counter()
        connection.execute("BEGIN")
        try:
            if tell:
                self._tell_tables(connection, after_crash)
            results = [unit.work(session) for unit, session in zip(group, sessions, strict=True)]
            connection.execute("COMMIT")
        except BaseException:
            # A failed COMMIT has ended the transaction already.
            with contextlib.suppress(duckdb.Error):
                connection.execute("ROLLBACK")
            raise
        if tell:
            self._journal.clear()
        for unit, session in zip(group, sessions, strict=True):
            self._journal.remember(session.events)
            self._report(unit, session, started, idle_seconds)
        return results

    def _tell_tables(self, connection: duckdb.DuckDBPyConnection, after_crash: bool) -> None:
        assert self._fold is not None, "nothing tells the tables of this store's journal"
        try:
            self._fold(Session(connection), self._journal.events, after_crash)
        except Exception as error:
            if isinstance(error, duckdb.FatalException) or _is_full(error):
                raise
            log.exception("the tables refused what the journal holds; each entry is tried alone")
            connection.execute("ROLLBACK")
            self._tell_apart(connection)
            connection.execute("BEGIN")

    def _tell_apart(self, connection: duckdb.DuckDBPyConnection) -> None:
        """One event that can't be told must not keep the others, and the whole library, from going on."""
        assert self._fold is not None
        for key in self._journal.keys:
            events = [event for event in self._journal.events if event["key"] == key]
            connection.execute("BEGIN")
            try:
                self._fold(Session(connection), events, True)
                connection.execute("COMMIT")
            except Exception as error:
                with contextlib.suppress(duckdb.Error):
                    connection.execute("ROLLBACK")
                if isinstance(error, duckdb.FatalException) or _is_full(error):
                    raise
                # Its lease is missed in time, and it is taken up again.
                log.critical("what became of %s can't be told and is dropped: %s", key, error)
        self._journal.clear()

    def _reopen(self, error: Exception) -> None:
        log.error("the database is invalidated and is opened again: %s", error)
        self._generation += 1
        self._end_cursors()
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
        self._connection = open_database(self._file, self._memory_limit)

    def _report(self, unit: _Unit, session: Session, started: float, idle_seconds: float) -> None:
        now = time.perf_counter()
        self._telemetry.execute(
            "store.query",
            {
                "total_seconds": now - unit.submitted,
                "queue_seconds": started - unit.submitted,
                "query_seconds": session.query_seconds,
                "decode_seconds": session.decode_seconds,
                "idle_seconds": max(0.0, idle_seconds),
            },
            {"label": unit.label},
        )


def closed() -> StoreError:
    """The library is not open, for now: what was acknowledged is safe, and asking again may help."""
    return StoreError("The library is closed.", "Connect again.", kind=CLOSED)


def _nothing(session: Session) -> None:
    """The work of who only wants the tables told."""


def _unwritten(label: str, error: OSError) -> StoreError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _full(label)
    return StoreError(f"The library could not be written ({label}): {error.strerror}.", "See the log.")


def _full(label: str) -> StoreError:
    return StoreError(
        f"The library could not be written ({label}): the disk is full.",
        "Make room; what was acknowledged is safe, and work goes on.",
        kind=FULL,
    )


def _is_full(error: Exception) -> bool:
    return "No space left" in str(error) or "ENOSPC" in str(error)


def _fail(unit: _Unit, error: BaseException) -> None:
    if not unit.future.done():
        unit.future.set_exception(
            _store_error(unit.label, error) if isinstance(error, duckdb.Error) else error
        )


def _store_error(label: str, error: duckdb.Error) -> StoreError:
    text = first_line(error)
    if _is_full(error):
        return _full(label)
    return StoreError(f"The library refused {label}: {text}", "See the log.")
