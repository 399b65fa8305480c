"""A batch that stands in for a real one: its snapshot is set by hand, its followers are told by hand."""

from __future__ import annotations

import copy
import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from soundforge_nb.dashboards.batch_state import batch_state
from soundforge_nb.dashboards.batch_view import ROWS, BatchView
from soundforge_nb.dashboards.feed import Feed, Pace

EVIL = "<img src=x onerror=alert(1)>"
#: Longer than anything here takes on a busy machine; nothing waits for it unless it is broken.
PATIENCE_SECONDS = 20.0
QUICK = Pace(fastest=0.01, look=0.05, first_backoff=0.01, longest_backoff=0.02)


def running_batch(**parts: Any) -> dict[str, Any]:
    return {
        "batch_id": "01a20ec1-0566-76d8-8bc7-741e93704d64",
        "state": "running",
        "options": {},
        "output_folder": None,
        "inserted_at": "2026-11-24T18:11:00.582",
        "finished_at": None,
        "job_ids": ["a", "b", "c"],
        "sequence": 4,
        "inputs": {"total": 4, "done": 0, "failed": 1, "under_way": 3},
        "steps": {"analyze": {"done": 0, "reused": 0, "failed": 0, "running": 2, "waiting": 1}},
        "percent": 27,
        "running": [job("a", 4), job("b", 80)],
        "failures": [{"name": "/songs/broken.wav", "step": None, "error": "broken.wav is not audio."}],
    } | parts


def finished_batch(**parts: Any) -> dict[str, Any]:
    return (
        running_batch(
            state="finished",
            finished_at="2026-11-24T18:12:08.338",
            inputs={"total": 4, "done": 3, "failed": 1, "under_way": 0},
            steps={"analyze": {"done": 3, "reused": 0, "failed": 0, "running": 0, "waiting": 0}},
            percent=100,
            running=[],
        )
        | parts
    )


def job(name: str, progress: int, message: str = "Listening") -> dict[str, Any]:
    return {
        "job_id": name,
        "name": f"/songs/{name}.wav",
        "step": "analyze",
        "progress": progress,
        "message": message,
        "attempt": 1,
    }


class FakeSource:
    """A source by hand. `fault`, where set, is raised instead of a snapshot."""

    def __init__(self) -> None:
        self.now = running_batch()
        self.fault: Exception | None = None
        self.looked = 0
        self.requests: list[str] = []
        self.listeners: list[Callable[[], None]] = []
        self.gate = threading.Event()
        self.gate.set()

    def snapshot(self) -> dict[str, Any]:
        self.looked += 1
        assert self.gate.wait(PATIENCE_SECONDS)
        if self.fault is not None:
            raise self.fault
        return copy.deepcopy(self.now)

    def follow(self, listener: Callable[[], None]) -> Callable[[], None]:
        self.listeners.append(listener)
        return lambda: self.listeners.remove(listener)

    def request(self, action: str) -> int:
        if self.fault is not None:
            raise self.fault
        self.requests.append(action)
        return 2

    def becomes(self, snapshot: dict[str, Any]) -> None:
        self.now = snapshot
        for listener in list(self.listeners):
            listener()


class Sent:
    """What was sent to the views, in order."""

    def __init__(self) -> None:
        self._queue: queue.Queue[dict[str, Any]] = queue.Queue()
        self.all: list[dict[str, Any]] = []

    def __call__(self, message: dict[str, Any]) -> None:
        self.all.append(message)
        self._queue.put(message)

    def next(self, *types: str) -> dict[str, Any]:
        """The next message of one of `types`; others are passed over."""
        while True:
            message = self._queue.get(timeout=PATIENCE_SECONDS)
            if message["type"] in types:
                return message

    def of(self, *types: str) -> list[dict[str, Any]]:
        return [message for message in self.all if message["type"] in types]


@pytest.fixture
def source() -> FakeSource:
    return FakeSource()


@pytest.fixture
def sent() -> Sent:
    return Sent()


@pytest.fixture
def make_feed(source: FakeSource, sent: Sent) -> Iterator[Callable[[Pace], Feed]]:
    made: list[Feed] = []

    def make(pace: Pace = QUICK) -> Feed:
        made.append(Feed(source, sent, batch_state, ROWS, pace=pace))
        return made[-1]

    yield make
    for feed in made:
        end_feed(feed)


@pytest.fixture
def feed(make_feed: Callable[[Pace], Feed]) -> Feed:
    return make_feed(QUICK)


@pytest.fixture
def view(source: FakeSource, sent: Sent, monkeypatch: pytest.MonkeyPatch) -> Iterator[BatchView]:
    monkeypatch.setattr(BatchView, "send", lambda self, content, buffers=None: sent(content))
    made = BatchView(source, pace=QUICK)
    yield made
    end_feed(made.feed)
    made.close()


def end_feed(feed: Feed) -> None:
    """Let all its views leave, and wait for its end."""
    for view in list(feed._viewers._heard):
        feed.left(view)
    thread = feed._thread
    if thread is not None:
        thread.join(PATIENCE_SECONDS)
    assert not feed.running
