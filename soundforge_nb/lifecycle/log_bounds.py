"""A log that several processes append to stays small: what is older moves aside, what is oldest goes."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import shutil
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

LARGEST_BYTES = 5_000_000
#: How many predecessors are kept, as ``application.log.1`` (the newest) and so on.
KEPT = 2
LOOK_SECONDS = 10.0
_CHUNK_BYTES = 1 << 20


def keep_small(
    file: Path, largest_bytes: int = LARGEST_BYTES, kept: int = KEPT, *, every_seconds: float = LOOK_SECONDS
) -> None:
    """Look at a log's size now, and then for as long as this process lives."""

    def live() -> None:
        while True:
            time.sleep(every_seconds)
            move_aside(file, largest_bytes, kept)

    move_aside(file, largest_bytes, kept)
    threading.Thread(target=live, name="log-bounds", daemon=True).start()


def move_aside(file: Path, largest_bytes: int = LARGEST_BYTES, kept: int = KEPT) -> bool:
    """Where a log has outgrown its bounds, copy it aside and empty it; returns whether it was done.

    It is emptied rather than renamed: the processes that have it open (the application, its nannies and
    Dask workers) go on appending to it. What they write between the last copied byte and the emptying, a
    moment of microseconds, is lost.
    """
    try:
        if file.stat().st_size <= largest_bytes:
            return False
        with file.open("rb") as source:
            # One at a time: another application may be starting beside this one.
            fcntl.flock(source, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(source.fileno()).st_size <= largest_bytes:
                return False
            _empty_into(file, source, kept)
    except OSError:
        # A log is never a reason to fail: it is gone, or another process is at it.
        return False
    return True


def _empty_into(file: Path, source: BinaryIO, kept: int) -> None:
    aside = file.with_name(f"{file.name}.part")
    try:
        with aside.open("wb") as target:
            shutil.copyfileobj(source, target, _CHUNK_BYTES)
            os.truncate(file, 0)
    except OSError:
        # On a full disk the log is let go: it must not grow where there is no room.
        aside.unlink(missing_ok=True)
        os.truncate(file, 0)
        return
    for number in range(kept, 1, -1):
        with contextlib.suppress(FileNotFoundError):
            _numbered(file, number - 1).replace(_numbered(file, number))
    aside.replace(_numbered(file, 1))


def log_also_to(file: Path, log_format: str, loggers: Iterable[str] = ("",)) -> None:
    """Have this process' log in `file` too, unless it goes there already: served in a shell, it does not.

    Parameters
    ----------
    loggers : iterable of str
        Names of the loggers: the root, and those that do not hand on what they get.
    """
    with contextlib.suppress(OSError, ValueError):
        if file.exists() and os.path.samestat(os.fstat(sys.stderr.fileno()), file.stat()):
            return
    try:
        file.parent.mkdir(exist_ok=True)
        handler = logging.FileHandler(file, encoding="utf-8", errors="replace")
    except OSError as error:
        logging.getLogger(__name__).warning("There is no log in %s: %s", file, error)
        return
    handler.setFormatter(logging.Formatter(log_format))
    for name in loggers:
        logging.getLogger(name).addHandler(handler)


def _numbered(file: Path, number: int) -> Path:
    return file.with_name(f"{file.name}.{number}")
