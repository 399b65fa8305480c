"""What the doctor says of one thing."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from soundforge_nb.errors import SoundforgeError


class Level(StrEnum):
    """How bad it is; `PROBLEM` keeps something from working."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """One sentence that stands by itself, and what to do about it where it is not well.

    Attributes
    ----------
    check : str
        What was looked at, as ``store`` or ``codec.MP3``: a program may go by it.
    remedy : str
        Empty where all is well.
    details : dict
        JSON values for a program; not printed for people.
    """

    check: str
    level: Level
    message: str
    remedy: str = ""
    details: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def ok(check: str, message: str, **details: Any) -> Finding:
    return Finding(check, Level.OK, message, "", details)


def warning(check: str, message: str, remedy: str, **details: Any) -> Finding:
    return Finding(check, Level.WARNING, message, remedy, details)


def problem(check: str, message: str, remedy: str, **details: Any) -> Finding:
    return Finding(check, Level.PROBLEM, message, remedy, details)


def from_error(check: str, error: SoundforgeError, level: Level = Level.PROBLEM) -> Finding:
    """An error of this package's as a finding: it has its sentence and its remedy already."""
    return Finding(check, level, error.message, error.remedy, {"kind": error.kind})
