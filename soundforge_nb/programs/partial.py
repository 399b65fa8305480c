"""A download that is not whole yet: kept over attempts, so that the next one goes on where this one ended."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from soundforge_nb.errors import DownloadError


class Partial:
    """An open partial file and the mark by which the server knows its version.

    Attributes
    ----------
    mark : str
        A strong ETag or a date; empty where the server gave none, and then nothing is resumed.
    """

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path = path
        self._file = file
        self._note = path.with_suffix(".json")
        self.mark = self._read_mark()
        self.size_bytes = os.fstat(file.fileno()).st_size if self.mark else 0
        self._file.truncate(self.size_bytes)
        self._file.seek(self.size_bytes)

    def restart(self, mark: str) -> None:
        """Throw away what is there; what comes now is of the version `mark`."""
        self._file.seek(0)
        self._file.truncate(0)
        self.size_bytes, self.mark = 0, mark
        self._note.write_text(json.dumps({"mark": mark}), encoding="utf-8")

    def write(self, chunk: bytes) -> None:
        self._file.write(chunk)
        self.size_bytes += len(chunk)

    def move_to(self, target: Path) -> None:
        """Give the whole file away: it is partial no more."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self.path.replace(target)
        self._note.unlink(missing_ok=True)

    def drop(self) -> None:
        """Forget it: what came is of no use."""
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)

    def _read_mark(self) -> str:
        try:
            note: Any = json.loads(self._note.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return ""
        mark = note.get("mark") if isinstance(note, dict) else None
        return mark if isinstance(mark, str) else ""


@contextmanager
def open_partial(folder: Path, name: str) -> Iterator[Partial]:
    """Open, or begin, the partial file of this name; one process at a time.

    Raises
    ------
    DownloadError
        Another process, of an attempt that was given up, still writes to it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.part"
    with _locked(path) as file:
        partial = Partial(path, file)
        try:
            yield partial
        finally:
            if not partial.size_bytes:
                partial.drop()


def _locked(path: Path) -> BinaryIO:
    while True:
        # Without following a link: somebody may have put one there.
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        file = os.fdopen(descriptor, "r+b", buffering=0)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Between the opening and the lock it may have been swept: then this is nobody's file any more.
            if path.lstat().st_ino == os.fstat(descriptor).st_ino:
                return file
        except BlockingIOError as error:
            file.close()
            raise DownloadError(
                "The same link is being fetched by another job.",
                "It goes on by itself.",
                kind="busy",
                details={"retry": True},
            ) from error
        except FileNotFoundError:
            pass
        file.close()
