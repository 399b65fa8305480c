"""The widget: the contract with its front end, buttons, and what a notebook gets."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from soundforge_nb.dashboards import assets
from soundforge_nb.dashboards.batch_summary import mimebundle as alone
from soundforge_nb.dashboards.batch_view import BatchView
from soundforge_nb.dashboards.bundle import live_bundle
from soundforge_nb.dashboards.cells import Cells
from soundforge_nb.errors import ConnectionLost, SoundforgeError
from tests.dashboards.conftest import FakeSource, Sent, finished_batch, job, running_batch

CONTRACT = json.loads((Path(__file__).parents[2] / "widgets/contract/batch.json").read_text())


def matches(message: dict[str, Any], side: str) -> None:
    schema = {"$ref": f"#/$defs/{side}", "$defs": CONTRACT["$defs"]}
    jsonschema.validate(json.loads(json.dumps(message)), schema)


def tell(view: BatchView, message: dict[str, Any]) -> None:
    matches(message, "from_view")
    view._handle_custom_msg(message, [])


def test_every_message_is_of_the_contract(view: BatchView, source: FakeSource, sent: Sent) -> None:
    tell(view, {"type": "watch", "view": "v", "seen": 0})
    sent.next("snapshot")
    source.becomes(running_batch(percent=50, running=[job("c", 1), job("b", 99)]))
    sent.next("change")
    source.fault = ConnectionLost("Gone.")
    sent.next("lost")
    tell(view, {"type": "act", "request": "r1", "action": "retry"})
    sent.next("answer")
    source.fault = None
    source.becomes(finished_batch())
    assert sent.next("snapshot")["state"]["state"] in ("running", "finished")
    tell(view, {"type": "act", "request": "r2", "action": "cancel"})
    sent.next("answer")
    assert {message["type"] for message in sent.all} == {"snapshot", "change", "lost", "answer", "pulse"}
    for message in sent.all:
        matches(message, "from_kernel")


def test_a_message_beside_the_contract_is_noticed() -> None:
    with pytest.raises(jsonschema.ValidationError):
        matches({"type": "pulse", "number": 1, "at": 1.0}, "from_kernel")


@pytest.mark.parametrize(
    "action, told", [("cancel", "Cancelled: 2 jobs."), ("retry", "Trying again: 2 jobs.")]
)
def test_a_button_is_done_and_answered(
    view: BatchView, source: FakeSource, sent: Sent, action: str, told: str
) -> None:
    tell(view, {"type": "act", "request": "r", "action": action})
    assert sent.next("answer") == {"type": "answer", "request": "r", "ok": True, "sentence": told}
    assert source.requests == [action]


def test_a_button_that_fails_says_why(view: BatchView, source: FakeSource, sent: Sent) -> None:
    source.fault = ConnectionLost("The application went away.", "Connect again.")
    tell(view, {"type": "act", "request": "r", "action": "cancel"})
    answer = sent.next("answer")
    assert (answer["ok"], answer["sentence"]) == (False, "The application went away. Connect again.")


def test_two_clicks_at_once_are_one_deed(view: BatchView, source: FakeSource, sent: Sent) -> None:
    entered, go = threading.Event(), threading.Event()

    def request(action: str) -> int:
        entered.set()
        assert go.wait(20)
        source.requests.append(action)
        return 1

    source.request = request  # type: ignore[method-assign]
    tell(view, {"type": "act", "request": "r1", "action": "cancel"})
    assert entered.wait(20)
    tell(view, {"type": "act", "request": "r2", "action": "cancel"})
    assert sent.next("answer")["request"] == "r2"
    go.set()
    assert sent.next("answer")["request"] == "r1"
    assert source.requests == ["cancel"]


@pytest.mark.parametrize(
    "message", [{}, [], "x", {"type": "act", "request": "r", "action": "erase"}, {"type": "watch", "view": 1}]
)
def test_what_is_no_message_of_ours_changes_nothing(
    view: BatchView, source: FakeSource, sent: Sent, message: Any
) -> None:
    view._handle_custom_msg(message, [])
    assert (sent.all, source.requests, view.feed.running) == ([], [], False)


def test_nothing_of_the_batch_is_a_trait(view: BatchView, source: FakeSource) -> None:
    source.now = running_batch()
    assert "broken.wav" not in json.dumps(view.get_state(), default=str)


def test_a_notebook_gets_the_live_view_and_what_stands_alone(view: BatchView) -> None:
    data, _ = live_bundle(view, alone(finished_batch()))
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == view.model_id
    assert data["text/plain"].startswith("Finished: 3 of 4 tracks done, 1 failed")
    assert "<table" in data["text/html"]


def test_a_front_end_that_is_not_built_says_so() -> None:
    with pytest.raises(SoundforgeError, match=r"other\.js is not built\. Run make widgets"):
        assets.asset("other.js")


def test_cells_are_followed() -> None:
    class Events:
        def __init__(self) -> None:
            self.callbacks: dict[str, Any] = {}

        def register(self, name: str, callback: Any) -> None:
            self.callbacks[name] = callback

    class Shell:
        events = Events()

    cells = Cells(Shell())
    assert cells.running, "what is made in a cell is made while it runs"
    Shell.events.callbacks["post_run_cell"](object())
    assert not cells.running
    Shell.events.callbacks["pre_run_cell"](object())
    assert cells.running
    assert not Cells().running
