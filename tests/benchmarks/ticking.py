"""A kind of one's own that does nothing but say, again and again, what time it is."""

from __future__ import annotations

import random
import time
from typing import Any

import soundforge_nb as sf


class Ticker(sf.Kind):
    """Tells `ticks` times after pauses of `pause_seconds` on average; each message is its moment in ms."""

    name = "ticker"
    queue = "analysis"

    def process(self, job: sf.Job, context: sf.Context) -> Any:
        ticks, pause = job.args["ticks"], job.args["pause_seconds"]
        even = pause < 0.05
        due = time.monotonic()
        for tick in range(ticks):
            due += pause if even else random.expovariate(1 / pause)
            if context.cancelled.wait(max(0.0, due - time.monotonic())):
                break
            context.progress(100 * tick // ticks, f"{time.time() * 1000:.1f}")
        return sf.Completed({"ended": time.time()})
