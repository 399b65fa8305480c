"""The machine: cores, memory, and room on the disks."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import psutil

from soundforge_nb.config import Config
from soundforge_nb.forge.doctor.finding import Finding, ok, problem, warning

GB = 1_000_000_000
#: What a separation by one of Demucs' own models needs beside the rest.
LITTLE_MEMORY_BYTES = 4 * GB
#: Four float32 stems of a song of four minutes take 340 MB, in staging and then in place.
NO_ROOM_BYTES, LITTLE_ROOM_BYTES = GB // 2, 5 * GB

_CGROUP_FILES = ("memory.max", "memory/memory.limit_in_bytes")


def look_at_machine(config: Config) -> Iterator[Finding]:
    yield _cores()
    yield _memory(memory_limit_bytes(), psutil.virtual_memory().available)
    yield _room(config.data_folder)


def _cores() -> Finding:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    load = os.getloadavg()[0]
    return ok("cores", f"{cores} cores, load {load:.1f}", cores=cores, load=load)


def memory_limit_bytes(folder: Path = Path("/sys/fs/cgroup")) -> int:
    """What this process may use: the machine's memory, or a container's share of it."""
    limits: list[int] = [psutil.virtual_memory().total]
    for name in _CGROUP_FILES:
        try:
            limits.append(int((folder / name).read_text(encoding="ascii")))
        except (OSError, ValueError):  # there is none, or it says "max"
            continue
    return min(limits)


def _memory(total: int, available: int) -> Finding:
    available = min(total, available)
    told = f"{total / GB:.1f} GB of memory, {available / GB:.1f} GB free"
    details = {"total_bytes": total, "available_bytes": available}
    if available < LITTLE_MEMORY_BYTES:
        return warning(
            "memory",
            f"{told}: little for separations by htdemucs.",
            "End other programs, or set processing_limit = 1 in soundforge.toml; segment_seconds helps too.",
            **details,
        )
    return ok("memory", told, **details)


def _room(folder: Path) -> Finding:
    # Where it is still to be made, the disk it will lie on counts.
    there = next((place for place in (folder, *folder.parents) if os.path.isdir(place)), Path("/"))  # noqa: PTH112
    try:
        free = shutil.disk_usage(there).free
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        return problem("space", f"The disk of {there} can't be asked: {reason}.", "Name another data folder.")
    told = f"{free / GB:.1f} GB free for {folder}"
    if free < NO_ROOM_BYTES:
        remedy = "Make room, or name a data folder on another disk."
        return problem("space", f"Only {told}: the stems of one song may not fit.", remedy, free_bytes=free)
    if free < LITTLE_ROOM_BYTES:
        remedy = "Make room before a large batch; FLAC stems take half as much."
        return warning("space", f"Only {told}.", remedy, free_bytes=free)
    return ok("space", told, free_bytes=free)
