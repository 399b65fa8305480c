"""The file that what is read goes into, page after page: what is in it is not asked for again."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from soundforge_nb.errors import SpotifyError


class Pages:
    """The file that pages are added to: a line for what is read, then a line a page."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.head: dict[str, Any] = {}
        self.entries = 0
        self.ended = False
        self._take_up()

    def begin(self, head: Mapping[str, Any]) -> None:
        """Begin anew, unless what is here is of the same thing in the same state."""
        if self.head == dict(head):
            return
        self._file.seek(0)
        self._file.truncate()
        self.head, self.entries, self.ended = dict(head), 0, False
        self._add(self.head)

    def add(self, entries: list[dict[str, Any]], ended: bool, **place: Any) -> None:
        """Add a page, in `place` where it belongs; it is in the file before anything else is asked."""
        self._add({"entries": entries, "ended": ended, **place})
        self.entries += len(entries)
        self.ended = ended

    def lines(self) -> Iterator[dict[str, Any]]:
        """The pages so far, one after the other."""
        self._file.seek(0)
        self._file.readline()
        for line in self._file:
            yield json.loads(line)

    def _add(self, line: Any) -> None:
        self._file.write(json.dumps(line).encode() + b"\n")
        self._file.flush()

    def _take_up(self) -> None:
        """Go on after the last line that is whole."""
        self._file.seek(0)
        good = 0
        for number, line in enumerate(self._file):
            try:
                found = json.loads(line) if line.endswith(b"\n") else None
            except ValueError:
                found = None
            if not isinstance(found, dict) or (number and "entries" not in found):
                break
            good += len(line)
            if number:
                self.entries += len(found["entries"])
                self.ended = bool(found["ended"])
            else:
                self.head = found
        self._file.seek(good)
        self._file.truncate()


@contextmanager
def open_pages(path: Path) -> Iterator[Pages]:
    """Open, or begin, a file of pages; one process at a time.

    Raises
    ------
    SpotifyError
        Another process, of an attempt that was given up, still adds to it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SpotifyError(
                "The same is being read by another job.",
                "It goes on by itself.",
                kind="busy",
                details={"retry": True},
            ) from error
        yield Pages(file)
