"""The writing thread of the store: group commits, the journal, and an answer for every unit of work."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

import duckdb

from soundforge_nb.lifecycle.supervisor import Service
from soundforge_nb.lifecycle.telemetry import Telemetry
from soundforge_nb.store.faults import closed, is_full, unwritten
from soundforge_nb.store.journal import Event, Journal
from soundforge_nb.store.session import Session
from soundforge_nb.store.unit import Unit, Work

log = logging.getLogger(__name__)

T = TypeVar("T")
#: Tells the tables of the journal's events; whether a crash may have hidden that some of them know already.
Fold = Callable[[Session, Sequence[Event], bool], None]

#: Units of work that one commit may hold: beyond it a commit's cost grows with its size.
MAX_GROUP = 256


class Writing(Service):
    """What the store's one writing thread does: the base of `Store`."""

    def __init__(self, journal: Journal, fold: Fold | None, telemetry: Telemetry) -> None:
        self._journal = journal
        self._fold = fold
        self._telemetry = telemetry
        self._units: queue.SimpleQueue[Unit | None] = queue.SimpleQueue()
        self._connection: duckdb.DuckDBPyConnection | None = None
        # Nothing may be put behind the mark that ends the writing thread: it would never be answered.
        self._accepting = False
        self._gate = threading.Lock()
        self._died: Future[None] = Future()

    def _open_again(self, error: Exception) -> None:
        """Open the database anew, which DuckDB has given up."""
        raise NotImplementedError

    def submit(self, label: str, work: Work[T], *, tell_first: bool = True) -> Future[T]:
        """As `write`, from any thread: the future ends after the commit."""
        return self._put(Unit(label, work, tell_first=tell_first))

    def _put(self, unit: Unit) -> Future[Any]:
        with self._gate:
            if not self._accepting:
                raise closed()
            self._units.put(unit)
        return unit.future

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
                unit.fail(closed())

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
                    unit.fail(closed())
                raise
            idle_since = time.perf_counter()
            if ended:
                return

    def _note(self, units: list[Unit], idle_seconds: float) -> None:
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
                unit.fail(unwritten(unit.label, error))
            return
        session = Session(self._owned())
        session.query_seconds = time.perf_counter() - started
        for unit in units:
            unit.future.set_result(None)
            self._report(unit, session, started, idle_seconds)

    def _owned(self) -> duckdb.DuckDBPyConnection:
        assert self._connection is not None
        return self._connection

    def _commit_group(self, group: list[Unit], idle_seconds: float, *, again: bool = True) -> None:
        if not group:
            return
        try:
            results = self._transaction(group, idle_seconds, after_crash=not again)
        except BaseException as error:
            if isinstance(error, duckdb.FatalException):
                # After a repeat too, as on a disk that stays full: reads must go on meanwhile.
                self._open_again(error)
                if again:
                    self._commit_group(group, 0.0, again=False)
                    return
            if len(group) > 1:
                for unit in group:
                    self._commit_group([unit], 0.0, again=again)
            else:
                group[0].fail(error)
            return
        for unit, result in zip(group, results, strict=True):
            unit.future.set_result(result)

    def _transaction(self, group: list[Unit], idle_seconds: float, *, after_crash: bool) -> list[Any]:
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
            if isinstance(error, duckdb.FatalException) or is_full(error):
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
                if isinstance(error, duckdb.FatalException) or is_full(error):
                    raise
                # Its lease is missed in time, and it is taken up again.
                log.critical("what became of %s can't be told and is dropped: %s", key, error)
        self._journal.clear()

    def _report(self, unit: Unit, session: Session, started: float, idle_seconds: float) -> None:
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
