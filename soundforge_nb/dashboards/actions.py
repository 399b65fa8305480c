"""What the dashboard's buttons do, each one call of the application, and what is said of it afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from soundforge_nb.dashboards.source import Application
from soundforge_nb.errors import UsageError

_READ_ONLY = UsageError(
    "This dashboard is for looking only.", "Act from a notebook of your own: forge.dashboard()."
)


@dataclass(frozen=True)
class _Deed:
    """A call, its arguments made of what was clicked, and its words."""

    method: str
    arguments: Callable[[list[str], Any], dict[str, Any]]
    told: Callable[[Any, list[str], Any], str]


def _jobs(targets: list[str], limit: Any) -> dict[str, Any]:
    return {"job_ids": targets}


def _queue(targets: list[str], limit: Any) -> dict[str, Any]:
    return {"queue": targets[0]}


def _limited(targets: list[str], limit: Any) -> dict[str, Any]:
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 0:
        raise UsageError(f"{limit!r} is no limit of a queue.", "Give a whole number of 0 or more.")
    return {"queue": targets[0], "limit": limit}


def _counted(done: str, nothing: str) -> Callable[[Any, list[str], Any], str]:
    def told(count: Any, targets: list[str], limit: Any) -> str:
        jobs = count if isinstance(count, int) else len(targets)
        return f"{done}: {jobs} job{'' if jobs == 1 else 's'}." if jobs else nothing

    return told


_DEEDS = {
    "cancel": _Deed("cancel", _jobs, _counted("Cancelled", "Nothing was left to cancel.")),
    "retry": _Deed("retry", _jobs, _counted("Trying again", "Nothing was left to try again.")),
    "run_now": _Deed("run_now", _jobs, _counted("Next in line", "Nothing was waiting for its time.")),
    "pause_queue": _Deed(
        "pause_queue", _queue, lambda _, targets, limit: f"The queue {targets[0]} starts nothing new now."
    ),
    "resume_queue": _Deed(
        "resume_queue", _queue, lambda _, targets, limit: f"The queue {targets[0]} goes on."
    ),
    "scale_queue": _Deed(
        "scale_queue",
        _limited,
        lambda _, targets, limit: f"The queue {targets[0]} runs {limit} at once on each Dask worker.",
    ),
}


class Actions:
    """Does what a page asks for, unless it is for looking only."""

    def __init__(self, application: Application, *, read_only: bool) -> None:
        self._application = application
        self._read_only = read_only

    def do(self, action: str, targets: list[str], limit: Any = None) -> str:
        """Do it; returns what to say of it.

        Raises
        ------
        UsageError
            It is no action, it does not fit, or nothing may be done from here.
        SoundforgeError
            What the application answered.
        """
        if self._read_only:
            raise _READ_ONLY
        deed = _DEEDS.get(action)
        if deed is None or not targets:
            raise UsageError(f"A dashboard has no action {action!r} on {targets}.")
        answer = self._application.ask(deed.method, **deed.arguments(targets, limit))
        return deed.told(answer, targets, limit)
