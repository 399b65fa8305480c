"""What a Forge does with its queues: look, pause, resume, scale, drain."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from soundforge_nb.jobs.controls import KEEP, Keep

if TYPE_CHECKING:
    import pandas as pd

#: While waiting for a queue to run dry: a look at least that often.
_LOOK_SECONDS = 1.0
_COLUMNS = ["queue", "limit", "global_limit", "paused", "running"]


class QueueCalls(ABC):
    """The part of a Forge that runs its queues. What is set lasts: a restart finds it as it was left."""

    @abstractmethod
    def call(self, method: str, *, timeout_seconds: float | None = None, **arguments: Any) -> Any: ...

    @abstractmethod
    def follow(
        self, listener: Callable[[dict[str, Any]], None], topic: str | None = None
    ) -> Callable[[], None]: ...

    def queues(self) -> pd.DataFrame:
        """Each queue with its limits, whether it is paused, and how many of its jobs run."""
        import pandas as pd

        return pd.DataFrame(self.call("queues"), columns=_COLUMNS)

    def pause(self, queue: str) -> bool:
        """Start nothing new in a queue; what runs goes on. False where it was paused already.

        Raises
        ------
        UsageError
            There is no such queue.
        """
        return bool(self.call("pause_queue", queue=queue))

    def resume(self, queue: str) -> bool:
        """Let a paused queue go on; False where it was not paused."""
        return bool(self.call("resume_queue", queue=queue))

    def scale(
        self, queue: str, limit: int | Keep | None = KEEP, *, global_limit: int | Keep | None = KEEP
    ) -> bool:
        """Set how many jobs of a queue run at once; False where that was so already.

        Parameters
        ----------
        queue : str
        limit : int, optional
            On one Dask worker; None: as the settings say; not given: as it is.
        global_limit : int, optional
            On all Dask workers together; None: no such limit; not given: as it is.

        Raises
        ------
        UsageError
            It is no size, or all queues together outgrow a Dask worker's threads.
        """
        return bool(self.call("scale_queue", queue=queue, limit=limit, global_limit=global_limit))

    def drain(self, queue: str, timeout_seconds: float | None = None) -> bool:
        """Pause a queue and wait until nothing of it runs; False where something still does in the end."""
        self.pause(queue)
        changed = threading.Event()
        unfollow = self.follow(lambda message: changed.set(), "jobs")
        until = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        try:
            while True:
                changed.clear()
                if not any(entry["running"] for entry in self.call("queues") if entry["queue"] == queue):
                    return True
                left = _LOOK_SECONDS if until is None else min(_LOOK_SECONDS, until - time.monotonic())
                if left <= 0:
                    return False
                changed.wait(left)
        finally:
            unfollow()

    def run_now(self, *job_ids: str) -> int:
        """Let jobs that wait for their time (scheduled, retryable) wait no more; returns how many."""
        return int(self.call("run_now", job_ids=list(job_ids)))
