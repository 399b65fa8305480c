"""What every program reads from its request the same way."""

from __future__ import annotations

import os
from importlib.metadata import version
from typing import Any

from soundforge_nb.errors import UsageError


def path_of(request: dict[str, Any], field: str = "path") -> str:
    """A path from the request.

    Raises
    ------
    UsageError
        It is missing, empty, or no path.
    """
    path = request.get(field)
    if not isinstance(path, str) or not path or "\0" in path:
        raise UsageError(f"The request's {field} is {path!r}, which is no path.", "Give the path of a file.")
    return path


def set_threads(request: dict[str, Any]) -> int:
    """Set how many threads numeric libraries start; must run before they are imported. Default 1.

    Raises
    ------
    UsageError
        It is not a number from 1 on.
    """
    threads = request.get("threads") or 1
    if not isinstance(threads, int) or threads < 1:
        raise UsageError(f"The request's threads is {threads!r}.", "Give a whole number from 1 on.")
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
        os.environ[variable] = str(threads)
    # Threads that spin while they wait take the cores from those who work: where other jobs ran beside it, a
    # separation with two threads took 17 seconds spinning and 5 sleeping.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    return threads


def versions(*packages: str) -> dict[str, str]:
    """Versions of packages, for the record of where a value came from."""
    return {package: version(package) for package in packages}
