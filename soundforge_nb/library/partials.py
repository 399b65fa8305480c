"""Downloads that are not whole, of which nobody will have the rest: swept, never one that is written to."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Collection
from pathlib import Path

SUFFIXES = (".part", ".json")


def sweep_partials(folder: Path, needed: Collection[str], older_than: float) -> list[str]:
    """Remove what belongs to no job and lies untouched since `older_than`; returns the names removed.

    Parameters
    ----------
    folder : Path
    needed : collection of str
        Names, without suffix, that unfinished jobs will go on with.
    older_than : float
        A time of the wall clock: what was written to since stays.
    """
    return [name for name in sorted(_stale(folder, needed, older_than)) if _let_go(folder, name)]


def _stale(folder: Path, needed: Collection[str], older_than: float) -> set[str]:
    newest: dict[str, float] = {}
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                name, suffix = os.path.splitext(entry.name)  # noqa: PTH122 (a name, no path)
                if suffix in SUFFIXES and name not in needed:
                    written = entry.stat(follow_symlinks=False).st_mtime
                    newest[name] = max(newest.get(name, 0.0), written)
    except FileNotFoundError:
        return set()
    return {name for name, written in newest.items() if written < older_than}


def _let_go(folder: Path, name: str) -> bool:
    """Remove one, unless a child of an attempt that was given up still holds it."""
    part, note = (folder / f"{name}{suffix}" for suffix in SUFFIXES)
    try:
        descriptor = os.open(part, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        note.unlink(missing_ok=True)
        return True
    except OSError:
        # A link, or not ours: none of our making.
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    else:
        part.unlink(missing_ok=True)
        note.unlink(missing_ok=True)
        return True
    finally:
        os.close(descriptor)
