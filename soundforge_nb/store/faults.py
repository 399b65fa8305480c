"""What goes wrong with the library, in sentences."""

from __future__ import annotations

import errno

import duckdb

from soundforge_nb.errors import StoreError

#: The `kind` of the error where the store is not open, or is being opened again.
CLOSED = "store_closed"
#: The `kind` of the error where a commit found no room: after room was made the same commit passes.
FULL = "disk_full"


def closed() -> StoreError:
    """The library is not open, for now: what was acknowledged is safe, and asking again may help."""
    return StoreError("The library is closed.", "Connect again.", kind=CLOSED)


def refused(label: str, error: duckdb.Error | OSError) -> StoreError:
    """The library, or its file, did not take what `label` names."""
    if isinstance(error, OSError):
        return unwritten(label, error)
    if is_full(error):
        return _full(label)
    return StoreError(f"The library refused {label}: {first_line(error)}", "See the log.")


def unwritten(label: str, error: OSError) -> StoreError:
    """A file beside the library could not be written."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return _full(label)
    return StoreError(f"The library could not be written ({label}): {error.strerror}.", "See the log.")


def is_full(error: Exception) -> bool:
    """Whether it is for want of room on the disk."""
    return "No space left" in str(error) or "ENOSPC" in str(error)


def first_line(error: duckdb.Error) -> str:
    """What DuckDB says of an error, without the drawing of where it stands in the statement."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def _full(label: str) -> StoreError:
    return StoreError(
        f"The library could not be written ({label}): the disk is full.",
        "Make room; what was acknowledged is safe, and work goes on.",
        kind=FULL,
    )
