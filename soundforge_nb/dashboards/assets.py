"""The built front end, which lies beside this module."""

from __future__ import annotations

from pathlib import Path

from soundforge_nb.errors import SoundforgeError

_STATIC = Path(__file__).parent / "static"


def asset(name: str) -> Path:
    """The file of a built asset.

    Raises
    ------
    SoundforgeError
        It was not built.
    """
    file = _STATIC / name
    if not file.is_file():
        raise SoundforgeError(
            f"The front end {name} is not built.", "Run make widgets, or install a release.", kind="asset"
        )
    return file
