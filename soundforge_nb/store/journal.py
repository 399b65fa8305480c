"""The journal: a file of lines beside the database, for what must be durable at once and is small.

A commit of the database costs about a millisecond of planning for each statement, however little it
changes. A line here is as durable and costs a tenth of that. The database is told of many lines together,
within a moment and before anybody reads it; what a crash leaves untold, when it is opened again.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)

#: What happened to something, by its `key`. JSON values only.
Event = dict[str, Any]


class Journal:
    """Events that the database was not told of yet. Used from one thread; who reads `keys` sees a moment.

    Parameters
    ----------
    file : Path
        Made where it is missing, readable by its owner alone.
    events : sequence of Event
        What another journal of this process on the same file had not told: its lines, and what it
        remembered.
    """

    def __init__(self, file: Path, events: Sequence[Event] = ()) -> None:
        self._file = file
        self._descriptor = -1
        #: In the order in which they happened.
        self.events = list(events)

    @property
    def keys(self) -> list[str]:
        """What the events are about."""
        return list(dict.fromkeys(event["key"] for event in self.events))

    def open(self) -> None:
        """Open the file; what a crash left in it are the first events."""
        fresh = not self._file.exists()
        self._descriptor = os.open(self._file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        if fresh:
            _sync_folder(self._file.parent)
        self.events = self.events or [*map(_event, _whole_lines(self._file.read_bytes()))]

    def append(self, lines: Sequence[bytes], events: Sequence[Event]) -> None:
        """Write events down, all or none; durable when this returns.

        Raises
        ------
        OSError
            Nothing was written: the disk is full, or ill.
        """
        end = os.fstat(self._descriptor).st_size
        text = b"".join(lines)
        try:
            if os.write(self._descriptor, text) < len(text):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._file))
            _sync(self._descriptor)
        except OSError:
            os.ftruncate(self._descriptor, end)
            raise
        self.events.extend(events)

    def remember(self, events: Sequence[Event]) -> None:
        """Add events that a crash may forget."""
        self.events.extend(events)

    def clear(self) -> None:
        """The database knows all of it."""
        self.events = []
        if os.fstat(self._descriptor).st_size:
            os.ftruncate(self._descriptor, 0)

    def close(self) -> None:
        """Let go of the file; it stays only where the database does not know all of it."""
        if self._descriptor < 0:
            return
        if not os.fstat(self._descriptor).st_size:
            self._file.unlink(missing_ok=True)
        os.close(self._descriptor)
        self._descriptor = -1


def line_of(event: Event) -> bytes:
    """An event as a line that tells a torn one.

    Raises
    ------
    ValueError, TypeError
        It is no JSON, or no text.
    """
    text = json.dumps(event, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _event(line: bytes) -> Event:
    event: Event = json.loads(line[9:])
    return event


def _whole_lines(content: bytes) -> list[bytes]:
    """The lines up to the first torn one: nobody was told that it, or one after it, is safe."""
    lines = content.split(b"\n")
    for number, line in enumerate(lines):
        if line[:9] != b"%08x " % zlib.crc32(line[9:]):
            if line or number + 1 < len(lines):
                log.warning("the journal ends in %s bytes that were not written whole", len(line))
            return lines[:number]
    return lines


def _sync(descriptor: int) -> None:
    # Where the system has it: the file's times may wait.
    getattr(os, "fdatasync", os.fsync)(descriptor)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
