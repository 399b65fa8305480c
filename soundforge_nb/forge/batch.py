"""A batch as a notebook holds it: shown live, waited for, asked for results and errors."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
import time
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

from soundforge_nb.dashboards import batch_summary, surroundings
from soundforge_nb.errors import BatchFailed

if TYPE_CHECKING:
    import pandas as pd

    from soundforge_nb.dashboards.batch_view import BatchView
    from soundforge_nb.forge.forge import Forge

#: A snapshot is taken at most this often while waiting, and at least that often.
_SNAPSHOT_SECONDS = 0.25
_LOOK_SECONDS = 5.0
#: Failures that an error names one by one.
_NAMED_FAILURES = 3
_RESULT_COLUMNS = [
    *("name", "title", "track_id", "tempo", "key", "energy", "spectral_centroid", "spectral_rolloff"),
    *("zero_crossing_rate", "model", "null_residual_db", "stems"),
]


class Batch:
    """What one call of `Forge.process` asked for. It lives in the application: this is a view of it.

    Await it, or call `wait`; ending either of them, or the kernel, ends no job.
    """

    def __init__(self, forge: Forge, snapshot: dict[str, Any]) -> None:
        self._forge = forge
        self._last = snapshot
        self.batch_id: str = snapshot["batch_id"]
        self._view: BatchView | None = None

    # -- snapshot, follow, request: what a view knows of a batch ------------------------------------

    def snapshot(self) -> dict[str, Any]:
        """How the batch stands now."""
        self._last = self._forge.call("batch", batch_id=self.batch_id)
        return self._last

    def follow(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Have `listener` called whenever this batch may have changed; returns what ends it."""

        def told(message: dict[str, Any]) -> None:
            body = message["body"]
            ours = body.get("batch_id") == self.batch_id or body.get("job_id") in self._last["job_ids"]
            # After a loss something may have been missed.
            if ours or message["topic"] == "connection":
                listener()

        return self._forge.follow(told)

    def request(self, action: str) -> Any:
        """Do what a button of a view asks for."""
        return {"cancel": self.cancel, "retry": self.retry}[action]()

    # -- waiting ------------------------------------------------------------------------------------

    def wait(
        self,
        timeout_seconds: float | None = None,
        *,
        progress: bool | None = None,
        interrupted: str = "batch.wait() waits again, batch.cancel() stops them.",
    ) -> bool:
        """Wait until every input of the batch is accounted for.

        Parameters
        ----------
        timeout_seconds : float, optional
            Give up waiting after so long; the jobs go on.
        progress : bool, optional
            Print lines of progress; by default only where no live view shows it.
        interrupted : str
            What to say of the jobs, which go on, when a person ends the waiting.

        Returns
        -------
        bool
            Whether the batch has finished.
        """
        shown = surroundings.prints_progress() if progress is None else progress
        printer = batch_summary.ProgressPrinter(sys.stdout) if shown else None
        changed = threading.Event()
        unfollow = self.follow(changed.set)
        until = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        try:
            while True:
                changed.clear()
                snapshot = self.snapshot()
                if printer is not None:
                    printer.show(snapshot)
                if snapshot["state"] == "finished":
                    return True
                left = _LOOK_SECONDS if until is None else min(_LOOK_SECONDS, until - time.monotonic())
                if left <= 0:
                    return False
                changed.wait(left)
                time.sleep(min(_SNAPSHOT_SECONDS, left))
        except KeyboardInterrupt:
            print(f"Interrupted. The jobs go on: {interrupted}", file=sys.stderr)
            raise
        finally:
            unfollow()

    def __await__(self) -> Generator[Any, None, Batch]:
        return self._awaited().__await__()

    async def _awaited(self) -> Batch:
        loop = asyncio.get_running_loop()
        changed = asyncio.Event()
        unfollow = self.follow(lambda: _set_from_thread(loop, changed))
        printer = batch_summary.ProgressPrinter(sys.stdout) if surroundings.prints_progress() else None
        try:
            while True:
                changed.clear()
                snapshot = await asyncio.to_thread(self.snapshot)
                if printer is not None:
                    printer.show(snapshot)
                if snapshot["state"] == "finished":
                    return self
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_SECONDS):
                        await changed.wait()
                await asyncio.sleep(_SNAPSHOT_SECONDS)
        finally:
            unfollow()

    # -- results ------------------------------------------------------------------------------------

    @property
    def finished(self) -> bool:
        return bool(self.snapshot()["state"] == "finished")

    @property
    def ok(self) -> bool:
        """Whether the batch has finished and no input failed."""
        snapshot = self.snapshot()
        return snapshot["state"] == "finished" and not snapshot["failures"]

    def account(self) -> pd.DataFrame:
        """Every input and every step of it, with what became of it."""
        import pandas as pd

        rows = self._forge.call("batch_account", batch_id=self.batch_id)
        columns = ["name", "step", "status", "sentence", "attempt", "track_id", "job_id"]
        return pd.DataFrame(rows, columns=columns)

    def results(self) -> pd.DataFrame:
        """One row a track: its tempo, key and the rest, its stems' files, and how they add up."""
        import pandas as pd

        rows = self._forge.call("batch_results", batch_id=self.batch_id)
        return pd.DataFrame(rows, columns=_RESULT_COLUMNS)

    def errors(self) -> pd.DataFrame:
        """What failed: the input, its title as the library knows it now, the step and the sentence."""
        account = self.account()
        failed = account[account["status"] == "failed"].reset_index(drop=True)
        ids = list(failed["track_id"].dropna().unique())
        rows = self._forge.call("tracks", track_ids=ids) if ids else []
        # A track of Spotify's is named by its link; what it is called is looked up, and may have expired.
        titles = {row["track_id"]: row["title"] for row in rows}
        failed["title"] = failed["track_id"].map(titles)
        return failed.rename(columns={"sentence": "error"})[["name", "title", "step", "error"]]

    def raise_for_failures(self) -> None:
        """Do nothing where all is well: a script or papermill run ends with an error otherwise.

        Raises
        ------
        BatchFailed
            Something of it failed; the message names the first few with their sentences.
        """
        snapshot = self.snapshot()
        failures = snapshot["failures"]
        if not failures:
            return
        named = [f"{failure['name']}: {failure['error']}" for failure in failures[:_NAMED_FAILURES]]
        more = [f"… and {len(failures) - len(named)} more."] if len(failures) > len(named) else []
        inputs = snapshot["inputs"]
        raise BatchFailed(
            f"{inputs['failed']} of {inputs['total']} inputs failed. {' '.join([*named, *more])}",
            "batch.errors() lists them, batch.retry() tries them again.",
        )

    def cancel(self) -> int:
        """Cancel what is not done; returns how many jobs it concerned."""
        return int(self._forge.call("cancel_batch", batch_id=self.batch_id))

    def retry(self) -> int:
        """Give what failed another try; returns how many jobs it concerned."""
        return int(self._forge.call("retry_batch", batch_id=self.batch_id))

    # -- shown --------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        return batch_summary.as_text(self._fresh())

    def _repr_html_(self) -> str:
        return batch_summary.as_html(self._fresh())

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """A live view where a person looks; what stands alone everywhere."""
        alone = batch_summary.mimebundle(self._fresh())
        if surroundings.place() not in ("lab", "voila"):
            return alone, {}
        from soundforge_nb.dashboards.batch_view import BatchView
        from soundforge_nb.dashboards.bundle import live_bundle

        if self._view is None:
            self._view = BatchView(self)
        return live_bundle(self._view, alone)

    def _fresh(self) -> dict[str, Any]:
        try:
            return self.snapshot()
        except Exception:
            # A view of a batch never fails: without an application it shows what was known last.
            return self._last


def _set_from_thread(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    # The loop may have ended between the last message and the end of the following.
    with contextlib.suppress(RuntimeError):
        loop.call_soon_threadsafe(event.set)
