"""The database's owner: one writing thread with group commits, reading threads, timings of both."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import duckdb

from soundforge_nb.errors import StoreError
from soundforge_nb.lifecycle.supervisor import Service
from soundforge_nb.lifecycle.telemetry import Telemetry
from soundforge_nb.store.connect import open_database
from soundforge_nb.store.session import Session

log = logging.getLogger(__name__)

T = TypeVar("T")
Work = Callable[[Session], T]

#: Units of work that one commit may hold: beyond it a commit's cost grows with its size.
MAX_GROUP = 256


@dataclass
class _Unit:
    label: str
    work: Work[Any]
    future: Future[Any] = field(default_factory=Future)
    submitted: float = field(default_factory=time.perf_counter)


class Store(Service):
    """Opens the database and runs units of work on it.

    `write` units that arrive while a commit runs are committed together by the next one. A unit that
    fails takes no other with it: DuckDB has no savepoints, so the group is rolled back and each unit
    tried alone.
    """

    def __init__(
        self,
        file: Path,
        *,
        memory_limit: str = "1GB",
        telemetry: Telemetry | None = None,
        readers: int = 2,
    ) -> None:
        self._file = file
        self._memory_limit = memory_limit
        self._telemetry = telemetry or Telemetry()
        self._units: queue.SimpleQueue[_Unit | None] = queue.SimpleQueue()
        self._connection: duckdb.DuckDBPyConnection | None = None
        self._writer: threading.Thread | None = None
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix="store-reader")
        self._local = threading.local()
        self._generation = 0

    async def start(self) -> None:
        await asyncio.to_thread(self.open)

    async def stop(self) -> None:
        await asyncio.to_thread(self.close)

    def open(self) -> None:
        """Open and migrate the file, and start the writing thread."""
        self._connection = open_database(self._file, self._memory_limit)
        self._generation += 1
        self._writer = threading.Thread(target=self._write_loop, name="store-writer", daemon=True)
        self._writer.start()

    def close(self) -> None:
        """Commit what is waiting, checkpoint, and let go of the file."""
        if self._writer is not None:
            self._units.put(None)
            self._writer.join()
            self._writer = None
        self._readers.shutdown(wait=True)
        if self._connection is not None:
            try:
                self._connection.execute("CHECKPOINT")
            except duckdb.Error as error:
                log.warning("no checkpoint at the end: %s", error)
            self._connection.close()
            self._connection = None

    async def write(self, label: str, work: Work[T]) -> T:
        """Run `work` in a transaction; returns after its commit.

        Raises
        ------
        StoreError
            The commit failed; nothing of `work` stands.
        """
        return await asyncio.wrap_future(self.submit(label, work))

    def submit(self, label: str, work: Work[T]) -> Future[T]:
        """As `write`, from any thread: the future ends after the commit."""
        unit = _Unit(label, work)
        if self._writer is None:
            raise StoreError("The library is closed.", "Connect again.")
        self._units.put(unit)
        return unit.future

    async def read(self, label: str, work: Work[T]) -> T:
        """Run `work` on a reading connection, outside the writing thread."""
        unit = _Unit(label, work)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, self._read, unit)

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection of the caller's own to the same instance, for one thread's use."""
        if self._connection is None:
            raise StoreError("The library is closed.", "Connect again.")
        return self._connection.cursor()

    def _read(self, unit: _Unit) -> Any:
        if getattr(self._local, "generation", None) != self._generation:
            self._local.connection = self.cursor()
            self._local.generation = self._generation
            self._local.idle_since = time.perf_counter()
        session = Session(self._local.connection)
        started = time.perf_counter()
        try:
            return unit.work(session)
        except duckdb.Error as error:
            raise _store_error(unit.label, error) from error
        finally:
            self._report(unit, session, started, started - self._local.idle_since)
            self._local.idle_since = time.perf_counter()

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
            self._commit_group(group, time.perf_counter() - idle_since)
            idle_since = time.perf_counter()
            if ended:
                return

    def _commit_group(self, group: list[_Unit], idle_seconds: float) -> None:
        try:
            results = self._transaction(group, idle_seconds)
        except Exception as error:
            if len(group) > 1:
                for unit in group:
                    self._commit_group([unit], 0.0)
                return
            self._reopen_if_fatal(error)
            group[0].future.set_exception(
                _store_error(group[0].label, error) if isinstance(error, duckdb.Error) else error
            )
            return
        for unit, result in zip(group, results, strict=True):
            unit.future.set_result(result)

    def _transaction(self, group: list[_Unit], idle_seconds: float) -> list[Any]:
        connection = self._connection
        assert connection is not None
        sessions = [Session(connection) for _ in group]
        started = time.perf_counter()
        connection.execute("BEGIN")
        try:
            results = [unit.work(session) for unit, session in zip(group, sessions, strict=True)]
            connection.execute("COMMIT")
        except BaseException:
            # A failed COMMIT has ended the transaction already.
            try:
                connection.execute("ROLLBACK")
            except duckdb.Error:
                log.debug("nothing to roll back")
            raise
        for unit, session in zip(group, sessions, strict=True):
            self._report(unit, session, started, idle_seconds)
        return results

    def _reopen_if_fatal(self, error: Exception) -> None:
        if not isinstance(error, duckdb.FatalException) or self._connection is None:
            return
        log.error("the database is invalidated and is opened again: %s", error)
        self._connection.close()
        self._connection = open_database(self._file, self._memory_limit)
        self._generation += 1

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


def _store_error(label: str, error: duckdb.Error) -> StoreError:
    text = str(error).splitlines()[0]
    if "No space left" in text or "ENOSPC" in text:
        return StoreError(
            f"The library could not be written ({label}): the disk is full.",
            "Make room; what was acknowledged is safe, and work goes on.",
            kind="disk_full",
        )
    return StoreError(f"The library refused {label}: {text}", "See the log.")
