"""Room for what will be written, looked for beforehand, and the sentence where it is not there."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

from soundforge_nb.audio.faults import FilePath, shown
from soundforge_nb.errors import DiskError

#: Left free beyond the stems: the library, its log and the neighbours' jobs write on this disk too.
SPARE_BYTES = 16 * 1024**2
_FULL = (errno.ENOSPC, errno.EDQUOT)


def check_room(folder: Path, needed_bytes: float, path: FilePath) -> None:
    """Better now than after an hour: see that the stems of `path` will fit.

    Raises
    ------
    DiskError
        Of kind disk_full, not to be tried again by itself: only a person, or time, makes room.
    """
    free = shutil.disk_usage(folder).free
    needed = int(needed_bytes) + SPARE_BYTES
    if free < needed:
        raise DiskError(
            f"The stems of {shown(path)} do not fit on the disk at {_mount_point(folder)}: "
            f"{_size(needed)} are needed, {_size(free)} are free.",
            "Make room, then batch.retry(); format='flac' takes about half of WAV's room.",
            kind="disk_full",
            details={"needed_bytes": needed, "free_bytes": free, "retry": False},
        )


def write_error(error: Exception, file: Path, path: FilePath) -> Exception:
    """What a failed write of a stem of `path` means; the error itself where the disk is not to blame.

    libsndfile says only "System error": then the free space tells.
    """
    number = error.errno if isinstance(error, OSError) else None
    if number is None and shutil.disk_usage(file.parent).free < 1024**2:
        number = errno.ENOSPC
    if number is None:
        return error
    if number in _FULL:
        return DiskError(
            f"The disk at {_mount_point(file.parent)} became full while the stems of "
            f"{shown(path)} were written.",
            "Make room, then batch.retry().",
            kind="disk_full",
            # What was written is removed: beside fewer jobs there may be room enough.
            details={"retry": True},
        )
    return DiskError(
        f"The stems of {shown(path)} can't be written to {file.parent}: {os.strerror(number).lower()}.",
        "Make the data folder writable, then batch.retry().",
        kind="not_writable",
    )


def _mount_point(folder: Path) -> Path:
    """Which disk: a staging folder's own name says nothing to a person."""
    folder = folder.resolve()
    return next(place for place in (folder, *folder.parents) if place.is_mount() or place == place.parent)


def _size(count: int) -> str:
    """Bytes as people say them.

    >>> _size(84_000_000), _size(2_500_000_000)
    ('84 MB', '2.5 GB')
    """
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
