"""The library file: whether it can be read to its end, and by this version."""

from __future__ import annotations

import os
from collections.abc import Iterator

from soundforge_nb.config import Config
from soundforge_nb.errors import SoundforgeError, StoreLocked
from soundforge_nb.forge.doctor.finding import Finding, from_error, ok, warning


def look_at_library(config: Config) -> Iterator[Finding]:
    """Read the whole library, where no application has it open: that one answers for itself."""
    from soundforge_nb.cluster.discovery import is_locked, only_one

    file = config.store_file
    if not file.exists():
        yield ok("store", "There is no library yet; the first start makes it.")
        return
    if not os.access(file, os.R_OK):
        error = SoundforgeError(f"The library {file} can't be read.", f"Run: chmod 600 '{file}'")
        yield from_error("store", error)
        return
    size = f"{file.stat().st_size / 1e6:.1f} MB"
    if not os.access(config.data_folder, os.W_OK):
        if not is_locked(config.lock_file):
            yield from _inspected(config, size)
        return
    # The lock keeps an application from starting meanwhile; one that tries waits for it.
    with only_one(config.lock_file) as mine:
        if mine:
            yield from _inspected(config, size)


def _inspected(config: Config, size: str) -> Iterator[Finding]:
    from soundforge_nb.store.inspection import inspect_database

    try:
        seen = inspect_database(config.store_file, config.store_memory_limit)
    except StoreLocked as error:
        yield warning("store", error.message, error.remedy)
        return
    except SoundforgeError as error:
        yield from_error("store", error)
        return
    rows = ", ".join(f"{seen.rows.get(name, 0)} {name}" for name in ("tracks", "jobs", "stems", "analyses"))
    how = "" if seen.whole else "; too large to be read to its end here"
    yield ok("store", f"The library is readable: {size}, {rows}{how}.", rows=seen.rows, whole=seen.whole)
    if seen.schema < seen.newest:
        told = (
            f"The library has schema {seen.schema}; the next start copies it and brings it to {seen.newest}."
        )
    else:
        told = f"Its schema is {seen.schema}, as this version has it."
    yield ok("schema", told, schema=seen.schema, newest=seen.newest)
