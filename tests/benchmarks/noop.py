"""Kinds of one's own that do nothing but say when they began."""

from __future__ import annotations

import time
from typing import Any

import soundforge_nb as sf


class Noop(sf.Kind):
    """One Dask task one job."""

    name = "noop"
    queue = "analysis"
    runs_in = "dask_task"

    def process(self, job: sf.Job, context: sf.Context) -> Any:
        return sf.Completed({"began": time.time()})


class ChunkedNoop(Noop):
    """Many jobs share a Dask task."""

    name = "chunked_noop"
    chunk = 100


def began() -> float:
    """The same for plain Dask."""
    return time.time()


class Elsewhere(Noop):
    """The same in another queue."""

    name = "elsewhere"
    queue = "download"


class Spin(Noop):
    """Computes in Python, in the Dask task itself: the worst neighbour there is."""

    name = "spin"

    def process(self, job: sf.Job, context: sf.Context) -> Any:
        while not context.cancelled.is_set():
            sum(range(1000))
        return sf.Cancel("enough")
