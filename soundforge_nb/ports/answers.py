"""Reads a child's result with care: it comes from another process, perhaps of another version."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from soundforge_nb.errors import PortProtocolError

T = TypeVar("T")

#: The length that a file of unknown length is given time for.
UNKNOWN_DURATION_SECONDS = 900.0


def part(answer: Mapping[str, Any], name: str, wanted: type[T], program: str) -> T:
    """The value called `name`.

    Raises
    ------
    PortProtocolError
        It is missing or of another type.

    >>> part({"stems": {}}, "stems", dict, "separate")
    {}
    """
    value = answer.get(name)
    if not isinstance(value, wanted):
        raise PortProtocolError(
            f"The program {program} gave a result whose {name} is not a {wanted.__name__}.",
            "Install soundforge_nb again: its parts are of different versions.",
            # The same program would say the same again.
            details={"program": program, "retry": False},
        )
    return value


def allowed_seconds(base_seconds: float, factor: float, duration_seconds: float | None) -> float:
    """How long a program may take: it grows with the audio, so that a long file is not doomed.

    >>> allowed_seconds(120.0, 2.0, 240.0)
    600.0
    """
    known = UNKNOWN_DURATION_SECONDS if duration_seconds is None else max(0.0, duration_seconds)
    return base_seconds + factor * known


def absolute(path: str | Path) -> str:
    """A path that means the same in a child."""
    return str(Path(path).expanduser().absolute())
