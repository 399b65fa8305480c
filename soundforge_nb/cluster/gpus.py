"""GPUs of this machine: which there are, without loading anything that would take hold of one."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

#: The resource of a Dask worker that a job with a GPU to itself asks for.
GPU = "gpu"
_DRIVER = Path("/proc/driver/nvidia/gpus")


def gpu_names(
    wanted: int = -1, environment: Mapping[str, str] | None = None, driver: Path = _DRIVER
) -> list[str]:
    """The names by which CUDA_VISIBLE_DEVICES tells them apart.

    Parameters
    ----------
    wanted : int
        So many of them; -1: all. Where the driver shows none, so many are believed to be there.
    environment : mapping, optional
        Instead of `os.environ`: what it lets be seen counts alone.

    >>> gpu_names(environment={"CUDA_VISIBLE_DEVICES": "2,GPU-8f3a"})
    ['2', 'GPU-8f3a']
    >>> gpu_names(2, environment={})
    ['0', '1']
    """
    source = os.environ if environment is None else environment
    visible = source.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        names = [name.strip() for name in visible.split(",")]
        # CUDA itself stops at the first that is none.
        end = next((place for place, name in enumerate(names) if name in ("", "-1")), len(names))
        names = names[:end]
    else:
        try:
            names = [str(place) for place, _ in enumerate(driver.iterdir())]
        except OSError:
            names = []
    if wanted < 0:
        return names
    return [*names, *(str(place) for place in range(len(names), wanted))][:wanted]


def share_of(names: Sequence[str], worker: str, workers: int) -> list[str]:
    """Which of a machine's GPUs are this Dask worker's, by its name.

    Those that an application starts beside each other, `own_name(0)` and so on, share them; one that comes
    alone from another machine has all of that one's.

    >>> share_of(["0", "1", "2"], own_name(1), 2)
    ['1']
    """
    for number in range(workers):
        if worker == own_name(number):
            return list(names[number::workers])
    return list(names)


def own_name(number: int) -> str:
    """The name of one of the application's own Dask workers."""
    return f"soundforge-{number}"
