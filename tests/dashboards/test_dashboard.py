"""`forge.dashboard()`: what it tells a view of the application, and what it leaves without one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from soundforge_nb.cluster.link import RECONNECTED
from soundforge_nb.errors import ConnectionLost, UsageError
from soundforge_nb.forge.views import READ_ONLY_VARIABLE, Dashboard
from tests.dashboards import answers


class FakeForge:
    """A forge by hand."""

    def __init__(self) -> None:
        self.listeners: list[Callable[[dict[str, Any]], None]] = []
        self.fault: Exception | None = None

    def call(self, method: str, **arguments: Any) -> Any:
        if self.fault is not None:
            raise self.fault
        known = {
            "dashboard": answers.busy(),
            "jobs_page": answers.failures(),
            "metrics_history": answers.history(),
        }
        return known[method]

    def follow(self, listener: Callable[[dict[str, Any]], None]) -> Callable[[], None]:
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)

    def publishes(self, **body: Any) -> None:
        for listener in self.listeners:
            listener({"topic": "jobs", "sequence": 1, "body": body})


def made(forge: FakeForge, tab: str = "jobs", read_only: bool | None = None) -> Dashboard:
    return Dashboard(forge, tab, read_only)  # type: ignore[arg-type]


def test_pages_of_jobs_grow_old_by_states_and_not_by_progress() -> None:
    forge = FakeForge()
    dashboard, woken = made(forge), []
    dashboard.follow(lambda: woken.append(1))
    forge.publishes(job_id="a", state="executing", progress=40)
    assert (len(woken), dashboard.snapshot()["revision"]) == (1, 0)
    forge.publishes(job_id="a", state="completed", progress=100)
    assert (len(woken), dashboard.snapshot()["revision"]) == (2, 1)


def test_a_connection_that_came_back_is_remembered() -> None:
    forge = FakeForge()
    dashboard = made(forge)
    dashboard.follow(lambda: None)
    assert dashboard.snapshot()["reconnected_at"] is None
    forge.listeners[0](RECONNECTED)
    assert dashboard.snapshot()["reconnected_at"] > 1.7e9


@pytest.mark.parametrize(
    ("variable", "argument", "wanted"), [("", None, False), ("1", None, True), ("1", False, False)]
)
def test_who_serves_a_page_may_set_it_read_only(
    monkeypatch: pytest.MonkeyPatch, variable: str, argument: bool | None, wanted: bool
) -> None:
    monkeypatch.setenv(READ_ONLY_VARIABLE, variable)
    assert made(FakeForge(), read_only=argument).snapshot()["read_only"] is wanted


def test_an_unknown_tab_is_a_sentence() -> None:
    with pytest.raises(UsageError, match=r"no tab 'songs'\. Choose from jobs, metrics, system"):
        made(FakeForge(), tab="songs")


def test_without_a_live_view_it_stands_alone() -> None:
    data, _ = made(FakeForge())._repr_mimebundle_()
    assert set(data) == {"text/plain", "text/html"}
    assert "failed: Kite: Kite.flac ends in the middle of a frame." in data["text/plain"]
    assert repr(made(FakeForge(), tab="metrics")).startswith("Metrics, each with its last value")


def test_a_view_never_fails() -> None:
    forge = FakeForge()
    forge.fault = ConnectionLost("The application went away.", "Nothing is lost.")
    assert repr(made(forge)) == "The application can't be asked. The application went away. Nothing is lost."
