"""The dashboard and the metrics as a notebook holds them: live where a person looks, alone elsewhere."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from soundforge_nb.cluster.link import RECONNECTED
from soundforge_nb.dashboards import dashboard_state as shown
from soundforge_nb.dashboards import dashboard_summary, surroundings
from soundforge_nb.errors import SoundforgeError, UsageError
from soundforge_nb.lifecycle.identifiers import new_id

if TYPE_CHECKING:
    from soundforge_nb.dashboards.dashboard_view import DashboardView
    from soundforge_nb.forge.forge import Forge

#: Set by `soundforge dashboard --read-only`: pages for several people let nobody act.
READ_ONLY_VARIABLE = "SOUNDFORGE_DASHBOARD_READ_ONLY"
_FAILED = {"states": ["discarded"], "size": 20}


class Dashboard:
    """Queues, jobs, metrics and services of the application. Made by `Forge.dashboard`."""

    def __init__(self, forge: Forge, tab: str, read_only: bool | None) -> None:
        if tab not in shown.TABS:
            raise UsageError(f"A dashboard has no tab {tab!r}.", f"Choose from {', '.join(shown.TABS)}.")
        # By which the application tells one that looks again from one that comes.
        self._viewer = new_id()
        self._forge = forge
        self._tab = tab
        self._read_only = bool(os.environ.get(READ_ONLY_VARIABLE)) if read_only is None else read_only
        self._revision = 0
        #: When the connection last came back after a loss, in seconds since 1970.
        self._reconnected_at: float | None = None
        self._view: DashboardView | None = None

    # -- snapshot, follow, ask: what a view knows of the application ---------------------------------

    def snapshot(self) -> dict[str, Any]:
        """How everything stands now."""
        # Read first: a change that comes while the application answers is told by the next look.
        revision = self._revision
        answer: dict[str, Any] = self._forge.call("dashboard", viewer=self._viewer)
        ours = {"tab": self._tab, "read_only": self._read_only, "reconnected_at": self._reconnected_at}
        return {**answer, **ours, "revision": revision}

    def follow(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Have `listener` called whenever something may have changed; returns what ends it."""

        def told(message: dict[str, Any]) -> None:
            body = message["body"]
            if message["topic"] == RECONNECTED["topic"]:
                self._reconnected_at = time.time()
            # Mere progress changes no page of jobs.
            if body.get("state") != "executing" or not body.get("progress"):
                self._revision += 1
            listener()

        return self._forge.follow(told)

    def ask(self, method: str, **arguments: Any) -> Any:
        """One call of the application."""
        return self._forge.call(method, **arguments)

    # -- shown --------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        return self._alone()["text/plain"]

    def _repr_html_(self) -> str:
        return self._alone()["text/html"]

    def _repr_mimebundle_(
        self, include: object = None, exclude: object = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """A live view where a person looks; what stands alone everywhere."""
        if surroundings.place() not in ("lab", "voila"):
            return dict(self._alone()), {}
        from soundforge_nb.dashboards.bundle import live_bundle

        return live_bundle(self.widget, self._alone())

    @property
    def widget(self) -> DashboardView:
        """The live view itself, an anywidget: for hosts that want it by hand, as marimo does."""
        from soundforge_nb.dashboards.dashboard_view import DashboardView

        if self._view is None:
            self._view = DashboardView(self, read_only=self._read_only)
        return self._view

    def _alone(self) -> dict[str, str]:
        try:
            if self._tab == "metrics":
                history = shown.curves(self.ask("metrics_history"))
                return {
                    "text/plain": dashboard_summary.metrics_text(history),
                    "text/html": dashboard_summary.metrics_html(history),
                }
            state = shown.dashboard_state(self.snapshot())
            failures = shown.jobs_page(self.ask("jobs_page", **_FAILED))
        except SoundforgeError as error:
            # A view never fails: without an application it says so.
            return dashboard_summary.unreachable(str(error))
        return {
            "text/plain": dashboard_summary.as_text(state, failures),
            "text/html": dashboard_summary.as_html(state, failures),
        }
