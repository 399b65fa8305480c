"""SQL lives in files, one statement a file; this reads them."""

from __future__ import annotations

from functools import cache
from importlib import resources


@cache
def statement(room: str, name: str) -> str:
    """The statement `<room>/queries/<name>.sql` of this package.

    >>> statement("jobs", "stage_due").startswith("--")
    True
    """
    folder = resources.files("soundforge_nb").joinpath(room, "queries")
    return folder.joinpath(f"{name}.sql").read_text(encoding="utf-8")
