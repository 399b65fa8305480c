"""The file that a job works on: named when it was made, or brought by the download it waited for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from soundforge_nb.jobs.job import Job

#: In a job's result: the file that its followers work on.
FILE = "file"


@dataclass(frozen=True)
class Source:
    """A file and the bytes it holds."""

    path: str
    byte_hash: str
    duration_seconds: float | None = None
    size_bytes: int | None = None
    mtime_ns: int | None = None

    @property
    def expected(self) -> dict[str, int] | None:
        """What the file must still be like when a child opens it."""
        if self.size_bytes is None or self.mtime_ns is None:
            return None
        return {"size_bytes": self.size_bytes, "mtime_ns": self.mtime_ns}

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def source_of(job: Job) -> Source:
    """What a job works on.

    >>> source_of(Job("j", "k", "q", {"path": "/a.wav", "byte_hash": "h"}, 1, 2, "l")).path
    '/a.wav'
    """
    for result in job.parents.values():
        if FILE in result:
            return Source(**result[FILE])
    args, expected = job.args, job.args.get("expected") or {}
    return Source(
        args["path"],
        args["byte_hash"],
        args.get("duration_seconds"),
        expected.get("size_bytes"),
        expected.get("mtime_ns"),
    )


def key_of_request(job: Job, by_bytes: Callable[[], str]) -> str:
    """What the job's work is known by: what was asked for before there were any bytes goes by them now."""
    if source_of(job).byte_hash == job.args["byte_hash"]:
        return str(job.args["request_key"])
    return by_bytes()
