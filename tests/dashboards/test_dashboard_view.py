"""The dashboard's widget: the contract with its front end, questions and answers, actions, read-only."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from soundforge_nb.dashboards.actions import Actions
from soundforge_nb.dashboards.bundle import live_bundle
from soundforge_nb.dashboards.dashboard_state import SHOWN_RUNNING, SHOWN_TEXT, dashboard_state, job_detail
from soundforge_nb.dashboards.dashboard_view import DashboardView
from soundforge_nb.errors import ConnectionLost, JobNotFound, UsageError
from tests.dashboards import answers
from tests.dashboards.conftest import EVIL, PATIENCE_SECONDS, QUICK, Sent, end_feed

CONTRACT = json.loads((Path(__file__).parents[2] / "widgets/contract/dashboard.json").read_text())
NO_FILTERS = {"states": None, "queue": None, "kind": None, "tag": None, "words": None}


class FakeApplication:
    """An application by hand; what it was asked stands in `asked`. `fault` is raised instead of an answer."""

    def __init__(self) -> None:
        self.now = answers.busy()
        self.fault: Exception | None = None
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.listeners: list[Callable[[], None]] = []
        self.answers: dict[str, Any] = {
            "jobs_page": answers.page(250),
            "job_detail": answers.whole_job(),
            "metrics_history": answers.history(),
            "cancel": 1,
            "retry": 2,
        }

    def snapshot(self) -> dict[str, Any]:
        if self.fault is not None:
            raise self.fault
        return self.now

    def follow(self, listener: Callable[[], None]) -> Callable[[], None]:
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)

    def ask(self, method: str, **arguments: Any) -> Any:
        self.asked.append((method, arguments))
        if self.fault is not None:
            raise self.fault
        return self.answers.get(method)

    def becomes(self, snapshot: dict[str, Any]) -> None:
        self.now = snapshot
        for listener in list(self.listeners):
            listener()


def matches(message: dict[str, Any], side: str) -> None:
    schema = {"$ref": f"#/$defs/{side}", "$defs": CONTRACT["$defs"]}
    jsonschema.validate(json.loads(json.dumps(message)), schema)


@pytest.fixture
def application() -> FakeApplication:
    return FakeApplication()


MakeView = Callable[..., DashboardView]


@pytest.fixture
def make_view(
    application: FakeApplication, sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MakeView]:
    monkeypatch.setattr(DashboardView, "send", lambda self, content, buffers=None: sent(content))
    made: list[DashboardView] = []

    def make(*, read_only: bool = False) -> DashboardView:
        made.append(DashboardView(application, read_only=read_only, pace=QUICK))
        return made[-1]

    yield make
    for view in made:
        end_feed(view.feed)
        view.close()


def tell(view: DashboardView, message: dict[str, Any]) -> None:
    matches(message, "from_view")
    view._handle_custom_msg(message, [])


def ask(view: DashboardView, sent: Sent, kind: str, **parts: Any) -> dict[str, Any]:
    """Ask something; returns the answer, which names the request."""
    tell(view, {"type": kind, "request": "r"} | parts)
    answer = sent.next("jobs", "job", "metrics", "answer", "refused")
    assert answer["request"] == "r"
    return answer


def act(action: str, *targets: str, limit: int | None = None) -> dict[str, Any]:
    return {"action": action, "targets": list(targets), "limit": limit}


def test_every_message_is_of_the_contract(
    make_view: MakeView, application: FakeApplication, sent: Sent
) -> None:
    view = make_view()
    tell(view, {"type": "watch", "view": "v", "seen": 0})
    sent.next("snapshot")
    for snapshot in (answers.empty(), answers.troubled(), answers.busy(reconnected_at=answers.AT)):
        application.becomes(snapshot)
        sent.next("change")
    ask(view, sent, "ask_jobs", filters=NO_FILTERS, offset=0, size=100)
    ask(view, sent, "ask_job", job_id="a")
    ask(view, sent, "ask_metrics", since=0)
    ask(view, sent, "act", **act("cancel", "a"))
    application.fault = ConnectionLost("Gone.", "Nothing is lost.")
    sent.next("lost")
    ask(view, sent, "ask_jobs", filters=NO_FILTERS, offset=100, size=100)
    ask(view, sent, "act", **act("retry", "a"))
    application.fault = None
    tell(view, {"type": "leave", "view": "v"})
    end_feed(view.feed)
    known = {"snapshot", "change", "lost", "pulse", "jobs", "job", "metrics", "answer", "refused"}
    assert {message["type"] for message in sent.all} == known
    for message in sent.all:
        matches(message, "from_kernel")


def test_the_contract_is_strict() -> None:
    state = dashboard_state(answers.busy())
    message = {"type": "snapshot", "number": 1, "at": 1.0, "state": state}
    matches(message, "from_kernel")
    with pytest.raises(jsonschema.ValidationError):
        matches(message | {"state": state | {"more": 1}}, "from_kernel")
    with pytest.raises(jsonschema.ValidationError):
        matches(message | {"state": {**state, "queues": [{"queue": "analysis"}]}}, "from_kernel")


def test_filters_reach_the_store_and_nothing_else_does(
    make_view: MakeView, application: FakeApplication, sent: Sent
) -> None:
    filters = NO_FILTERS | {"states": ["discarded"], "words": "50%_off"}
    jobs = ask(make_view(), sent, "ask_jobs", filters=filters, offset=200, size=50)
    assert application.asked == [("jobs_page", {**filters, "offset": 200, "size": 50})]
    assert (jobs["total"], len(jobs["rows"])) == (250, 100)
    make_view()._handle_custom_msg(
        {"type": "ask_jobs", "request": "r", "offset": 0, "size": 1, "filters": {"sql": "drop"}}, []
    )
    sent.next("jobs")
    assert application.asked[-1] == ("jobs_page", {**NO_FILTERS, "offset": 0, "size": 1})


def test_a_job_comes_with_its_attempts_and_what_they_left(make_view: MakeView, sent: Sent) -> None:
    job = ask(make_view(), sent, "ask_job", job_id="a")["job"]
    assert [attempt["attempt"] for attempt in job["attempts"]] == [1, 2]
    details = {detail["name"]: detail["text"] for detail in job["attempts"][1]["details"]}
    assert details["exit status"] == "-11"
    assert details["stderr tail"].startswith(f"line 0: torch said {EVIL}")
    assert json.loads(job["args"])["separation"] == {"model": "htdemucs"}


def test_a_question_that_fails_is_refused_in_a_sentence(
    make_view: MakeView, application: FakeApplication, sent: Sent
) -> None:
    application.fault = JobNotFound("There is no job b.", "forge.jobs() lists what there is.")
    refused = ask(make_view(), sent, "ask_job", job_id="b")
    assert refused["sentence"] == "There is no job b. forge.jobs() lists what there is."


def test_a_slow_question_does_not_keep_the_others_waiting(
    make_view: MakeView, application: FakeApplication, sent: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    view, gate, quick = make_view(), threading.Event(), application.ask

    def ask_slowly(method: str, **arguments: Any) -> Any:
        if method == "metrics_history":
            assert gate.wait(PATIENCE_SECONDS)
        return quick(method, **arguments)

    monkeypatch.setattr(application, "ask", ask_slowly)
    tell(view, {"type": "ask_metrics", "request": "slow", "since": 0})
    assert ask(view, sent, "ask_job", job_id="a")["type"] == "job"
    gate.set()
    assert sent.next("metrics")["request"] == "slow"


@pytest.mark.parametrize(
    ("wanted", "asked", "answer", "told"),
    [
        (act("cancel", "a", "b"), ("cancel", {"job_ids": ["a", "b"]}), 2, "Cancelled: 2 jobs."),
        (act("cancel", "a"), ("cancel", {"job_ids": ["a"]}), 0, "Nothing was left to cancel."),
        (act("retry", "a"), ("retry", {"job_ids": ["a"]}), 1, "Trying again: 1 job."),
        (act("run_now", "a"), ("run_now", {"job_ids": ["a"]}), 1, "Next in line: 1 job."),
        (
            act("pause_queue", "analysis"),
            ("pause_queue", {"queue": "analysis"}),
            None,
            "The queue analysis starts nothing new now.",
        ),
        (
            act("resume_queue", "analysis"),
            ("resume_queue", {"queue": "analysis"}),
            None,
            "The queue analysis goes on.",
        ),
        (
            act("scale_queue", "analysis", limit=5),
            ("scale_queue", {"queue": "analysis", "limit": 5}),
            None,
            "The queue analysis runs 5 at once on each Dask worker.",
        ),
    ],
)
def test_an_action_is_one_call_and_a_sentence(
    make_view: MakeView,
    application: FakeApplication,
    sent: Sent,
    wanted: dict[str, Any],
    asked: tuple[str, dict[str, Any]],
    answer: Any,
    told: str,
) -> None:
    application.answers[wanted["action"]] = answer
    answered = ask(make_view(), sent, "act", **wanted)
    assert (answered["ok"], answered["sentence"]) == (True, told)
    assert application.asked == [asked]


def test_an_action_that_fails_says_why(make_view: MakeView, application: FakeApplication, sent: Sent) -> None:
    application.fault = ConnectionLost("The application went away.", "Nothing is lost.")
    answered = ask(make_view(), sent, "act", **act("cancel", "a"))
    assert (answered["ok"], answered["sentence"]) == (False, "The application went away. Nothing is lost.")


def test_read_only_refuses_every_action_whatever_a_page_sends(
    make_view: MakeView, application: FakeApplication, sent: Sent
) -> None:
    view = make_view(read_only=True)
    schema = CONTRACT["$defs"]["from_view"]["anyOf"][-1]
    for action in schema["properties"]["action"]["enum"]:
        answered = ask(view, sent, "act", **act(action, "a", limit=1))
        assert not answered["ok"]
        assert "for looking only" in answered["sentence"]
    assert application.asked == []
    assert dashboard_state(answers.busy(read_only=True))["actions"] == []


@pytest.mark.parametrize(
    ("action", "targets", "limit"),
    [("erase", ["a"], None), ("cancel", [], None), ("scale_queue", ["analysis"], -1)]
    + [("scale_queue", ["analysis"], limit) for limit in (None, True, 1.5, "2")],
)
def test_what_is_no_action_reaches_nobody(
    application: FakeApplication, action: str, targets: list[str], limit: Any
) -> None:
    with pytest.raises(UsageError):
        Actions(application, read_only=False).do(action, targets, limit)
    assert application.asked == []


@pytest.mark.parametrize(
    "message",
    [
        {},
        [],
        "x",
        {"type": "watch", "view": 1},
        {"type": "ask_jobs", "request": "r", "offset": "0", "size": 1},
        {"type": "act", "request": "r", "action": "cancel", "targets": "a"},
    ],
)
def test_what_is_no_message_of_ours_changes_nothing(
    make_view: MakeView, application: FakeApplication, sent: Sent, message: Any
) -> None:
    view = make_view()
    view._handle_custom_msg(message, [])
    assert (sent.all, application.asked, view.feed.running) == ([], [], False)


def test_nothing_of_the_application_is_a_trait(make_view: MakeView) -> None:
    assert "Late Bloomer" not in json.dumps(make_view().get_state(), default=str)


def test_a_notebook_gets_the_live_view_and_what_stands_alone(make_view: MakeView) -> None:
    view = make_view()
    data, _ = live_bundle(view, {"text/plain": "alone", "text/html": "<p>alone</p>"})
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == view.model_id
    assert (data["text/plain"], data["text/html"]) == ("alone", "<p>alone</p>")


def test_rows_beyond_a_screen_are_counted_and_long_text_is_cut() -> None:
    jobs = [answers.job(f"j{n}", "analyze_track", "a", 1, "", 1.0) for n in range(SHOWN_RUNNING + 7)]
    state = dashboard_state(answers.busy(running=jobs))
    assert (len(state["running"]), state["running_more"]) == (SHOWN_RUNNING, 7)
    shown = job_detail(answers.whole_job(result={"text": "x" * 2 * SHOWN_TEXT}))["result"]
    assert shown is not None
    assert len(shown) < SHOWN_TEXT + 100
    assert shown.endswith("more characters")
