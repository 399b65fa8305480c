"""The live view of a batch in JupyterLab and Voilà: one root widget, fed by messages."""

from __future__ import annotations

import threading
from typing import Any

import anywidget

from soundforge_nb.dashboards.assets import asset
from soundforge_nb.dashboards.batch_state import batch_state
from soundforge_nb.dashboards.cells import cells_of_this_kernel
from soundforge_nb.dashboards.feed import Feed, Pace, sentence
from soundforge_nb.dashboards.source import Source

ACTIONS = ("cancel", "retry")
#: The parts of its state that are rows, by the id of a row.
ROWS = {"running": "job_id"}
_DONE = {"cancel": "Cancelled", "retry": "Trying again"}
_NOTHING = {"cancel": "Nothing was left to cancel.", "retry": "Nothing had failed."}


class BatchView(anywidget.AnyWidget):
    """Shows a batch. Nothing of it is a trait: what is shown travels by message, to who looks.

    Parameters
    ----------
    source : Source
        The batch.
    pace : Pace, optional
        How often to look and speak.
    """

    _esm = asset("batch.js")
    _css = asset("batch.css")

    def __init__(self, source: Source, *, pace: Pace | None = None) -> None:
        super().__init__()
        self._source = source
        self._acting: set[str] = set()
        self._lock = threading.Lock()
        cells = cells_of_this_kernel()
        self.feed = Feed(source, self.send, batch_state, ROWS, cell_runs=lambda: cells.running, pace=pace)
        self.on_msg(self._told)

    def _told(self, _widget: Any, message: Any, _buffers: Any) -> None:
        # On the kernel's main thread or on a subshell's: nothing here waits, and all state is locked.
        match message:
            case {"type": "watch", "view": str(view), "seen": int(seen)}:
                self.feed.heard(view, seen)
            case {"type": "leave", "view": str(view)}:
                self.feed.left(view)
            case {"type": "act", "request": str(request), "action": str(action)} if action in ACTIONS:
                threading.Thread(target=self._act, args=(request, action), daemon=True).start()

    def _act(self, request: str, action: str) -> None:
        with self._lock:
            # Two views, or two clicks: the first does it for both.
            first = action not in self._acting
            self._acting.add(action)
        if not first:
            self._answer(request, True, "That is being done.")
            return
        try:
            self._answer(request, True, _told_of(action, int(self._source.request(action))))
        except Exception as error:
            self._answer(request, False, sentence(error))
        finally:
            with self._lock:
                self._acting.discard(action)
            self.feed.look()

    def _answer(self, request: str, ok: bool, told: str) -> None:
        self.send({"type": "answer", "request": request, "ok": ok, "sentence": told})


def _told_of(action: str, count: int) -> str:
    return f"{_DONE[action]}: {count} job{'' if count == 1 else 's'}." if count else _NOTHING[action]
