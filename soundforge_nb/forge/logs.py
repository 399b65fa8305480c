"""The logs: those in the data folder, and what each attempt of a job left of its child's."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from soundforge_nb.cluster.launch import log_file
from soundforge_nb.config import Config
from soundforge_nb.errors import JobNotFound

if TYPE_CHECKING:
    from soundforge_nb.forge.forge import Forge

_ATTEMPTS = "SELECT attempt, host, dask_worker, started_at, ended_at, outcome, error FROM attempts"

_CHUNK_BYTES = 1 << 16
_LOOK_SECONDS = 0.25


def log_files(config: Config) -> list[dict[str, Any]]:
    """All logs, the one that is written to first: ``path``, ``bytes``, ``modified_at``."""
    current = log_file(config)
    found = []
    for path in sorted(config.logs_folder.glob("*.log*"), key=lambda path: (path != current, path.name)):
        status = path.stat()
        found.append(
            {
                "path": str(path),
                "bytes": status.st_size,
                "modified_at": datetime.fromtimestamp(status.st_mtime, UTC).isoformat(timespec="seconds"),
            }
        )
    return found


def last_log_lines(config: Config, count: int) -> list[str]:
    """The last lines over the log and its predecessors, oldest first."""
    lines: list[str] = []
    for entry in log_files(config):
        if len(lines) >= count:
            break
        lines = last_lines(Path(entry["path"]), count - len(lines)) + lines
    return lines


def attempts_of(forge: Forge, job_id: str) -> list[dict[str, Any]]:
    """Each attempt of a job with its error in full: the end of its child's log, or a traceback.

    Raises
    ------
    JobNotFound
        No job has this id.
    """
    try:
        job_id = str(UUID(job_id))
    except ValueError:
        raise _not_found(job_id) from None
    rows = forge.sql(f"{_ATTEMPTS} WHERE job_id = '{job_id}' ORDER BY started_at").dicts()
    if not rows and not len(forge.sql(f"SELECT 1 FROM jobs WHERE job_id = '{job_id}'")):
        raise _not_found(job_id)
    return [row | {"error": json.loads(row["error"]) if row["error"] else None} for row in rows]


def _not_found(job_id: str) -> JobNotFound:
    return JobNotFound(f"There is no job {job_id}.", "soundforge jobs lists what there is.")


def last_lines(file: Path, count: int) -> list[str]:
    """The last lines of a file, without reading the rest of it."""
    if count <= 0:
        return []
    with file.open("rb") as stream:
        position = stream.seek(0, 2)
        tail = b""
        while position > 0 and tail.count(b"\n") <= count:
            step = min(_CHUNK_BYTES, position)
            position -= step
            stream.seek(position)
            tail = stream.read(step) + tail
    return tail.decode(errors="replace").splitlines()[-count:]


def follow(file: Path, *, wait: Callable[[float], None] = time.sleep) -> Iterator[str]:
    """What is added to a file from this call on, line by line, for ever; it may come later or shrink."""
    return _added(file, file.stat().st_size if file.exists() else 0, wait)


def _added(file: Path, position: int, wait: Callable[[float], None]) -> Iterator[str]:
    rest = b""
    while True:
        size = file.stat().st_size if file.exists() else 0
        if size < position:
            # It was moved aside and begun anew.
            position, rest = 0, b""
        if size > position:
            with file.open("rb") as stream:
                stream.seek(position)
                piece = stream.read(size - position)
            position += len(piece)
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                yield line.decode(errors="replace")
        else:
            wait(_LOOK_SECONDS)
