"""A kind of one's own that does nothing but say when it began."""

from __future__ import annotations

import time
from typing import Any

import soundforge_nb as sf


class Noop(sf.Kind):
    name = "noop"
    queue = "analysis"

    def process(self, job: sf.Job, context: sf.Context) -> Any:
        return sf.Completed({"began": time.time()})


def began() -> float:
    """The same for plain Dask."""
    return time.time()
