"""Which jobs of a chunk really began: a line each, in a file of their slot beside its staging folders.

A chunk's starts are committed many at a time, before the first of them runs. When its Dask worker dies, or
the application, what was allowed to begin and did not is told from what ran by these lines. They outlive
every process; the loss of power may cost some, and then an attempt that ran is called withdrawn.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

_SUFFIX = ".begun"


def marks_file(staging_folder: Path, slot: str) -> Path:
    """Where the jobs of this slot are marked."""
    return staging_folder / f"{slot}{_SUFFIX}"


def slot_of(name: str) -> str:
    """The slot, or lease, to which an entry of the staging folder belongs."""
    return name.removesuffix(_SUFFIX)


class Marks:
    """One chunk's file, as its Dask worker writes it."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._descriptor = -1

    def mark(self, lease_id: str) -> None:
        """This one begins now.

        Raises
        ------
        OSError
            It could not be written: then it must not begin.
        """
        if self._descriptor < 0:
            # Its parent, the data folder, is there, or this host does not share it.
            self._file.parent.mkdir(exist_ok=True)
            self._descriptor = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        line = f"{lease_id}\n".encode()
        if os.write(self._descriptor, line) < len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def marked(file: Path) -> set[str]:
    """The leases that began, by this file."""
    try:
        return set(file.read_text(encoding="ascii", errors="replace").split("\n")[:-1])
    except FileNotFoundError:
        return set()


def all_marked(staging_folder: Path) -> set[str]:
    """The leases that began, by every file there is."""
    return {lease_id for file in _files(staging_folder) for lease_id in marked(file)}


def _files(staging_folder: Path) -> Iterator[Path]:
    if staging_folder.is_dir():
        yield from staging_folder.glob(f"*{_SUFFIX}")
