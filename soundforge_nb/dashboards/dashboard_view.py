"""The live dashboard in JupyterLab and Voilà: one root widget, fed by messages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anywidget

from soundforge_nb.dashboards import dashboard_state as shown
from soundforge_nb.dashboards.actions import Actions
from soundforge_nb.dashboards.assets import asset
from soundforge_nb.dashboards.cells import cells_of_this_kernel
from soundforge_nb.dashboards.feed import Feed, Pace, sentence
from soundforge_nb.dashboards.source import Application

Message = dict[str, Any]
#: Questions that are answered beside each other; more wait.
_THREADS = 4
_FILTERS = ("states", "queue", "kind", "tag", "words")


class DashboardView(anywidget.AnyWidget):
    """Shows the application. Nothing of it is a trait: what is shown travels by message, to who looks.

    Parameters
    ----------
    application : Application
    read_only : bool
        Refuse every action, whatever a page sends.
    pace : Pace, optional
        How often to look and speak.
    """

    _esm = asset("dashboard.js")
    _css = asset("dashboard.css")

    def __init__(
        self, application: Application, *, read_only: bool = False, pace: Pace | None = None
    ) -> None:
        super().__init__()
        self._application = application
        self._actions = Actions(application, read_only=read_only)
        self._answering = ThreadPoolExecutor(_THREADS, thread_name_prefix="soundforge-answer")
        cells = cells_of_this_kernel()
        self.feed = Feed(
            application,
            self.send,
            shown.dashboard_state,
            shown.ROWS,
            cell_runs=lambda: cells.running,
            pace=pace,
        )
        self.on_msg(self._told)

    def _told(self, _widget: Any, message: Any, _buffers: Any) -> None:
        # On the kernel's main thread or on a subshell's: nothing here waits, and all state is locked.
        match message:
            case {"type": "watch", "view": str(view), "seen": int(seen)}:
                self.feed.heard(view, seen)
            case {"type": "leave", "view": str(view)}:
                self.feed.left(view)
            case {"type": "ask_jobs", "request": str(request), "offset": int(), "size": int()}:
                self._answer(request, "jobs", lambda: self._jobs(message))
            case {"type": "ask_job", "request": str(request), "job_id": str(job_id)}:
                self._answer(request, "job", lambda: self._job(job_id))
            case {"type": "ask_metrics", "request": str(request), "since": int() | float() as since}:
                self._answer(request, "metrics", lambda: self._metrics(since))
            case {"type": "act", "request": str(request), "action": str(action), "targets": list(targets)}:
                limit = message.get("limit")
                self._answer(
                    request, "answer", lambda: self._act(action, [str(entry) for entry in targets], limit)
                )

    def _answer(self, request: str, kind: str, find: Callable[[], Message]) -> None:
        def work() -> None:
            try:
                answer = {"type": kind, **find()}
            except Exception as error:
                answer = {"type": "refused", "sentence": sentence(error)}
            self.send(answer | {"request": request})

        self._answering.submit(work)

    def _jobs(self, message: Mapping[str, Any]) -> Message:
        filters = message.get("filters")
        given = filters if isinstance(filters, Mapping) else {}
        page = self._application.ask(
            "jobs_page",
            **{name: given.get(name) for name in _FILTERS},
            offset=message["offset"],
            size=message["size"],
        )
        return shown.jobs_page(page)

    def _job(self, job_id: str) -> Message:
        return {"job": shown.job_detail(self._application.ask("job_detail", job_id=job_id))}

    def _metrics(self, since: float) -> Message:
        return shown.curves(self._application.ask("metrics_history", since=since))

    def _act(self, action: str, targets: list[str], limit: Any) -> Message:
        try:
            ok, told = True, self._actions.do(action, targets, limit)
        except Exception as error:
            ok, told = False, sentence(error)
        self.feed.look()
        return {"ok": ok, "sentence": told}
