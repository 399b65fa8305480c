"""What threads of a Dask worker say goes out in order, gathered, and soon."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from soundforge_nb.cluster import streams
from soundforge_nb.cluster.outbox import GATHER_SECONDS, Outbox


class Worker:
    """A Dask worker's loop that runs when it is told to, and its stream."""

    def __init__(self) -> None:
        self.loop = self
        self.woken: list[Callable[[], None]] = []
        self.timers: list[tuple[float, Callable[[], None]]] = []
        self.sent: list[dict[str, Any]] = []

    def add_callback(self, call: Callable[[], None]) -> None:
        self.woken.append(call)

    def call_later(self, seconds: float, call: Callable[[], None]) -> None:
        self.timers.append((seconds, call))

    def batched_send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)

    def turn(self) -> None:
        woken, self.woken = self.woken, []
        for call in woken:
            call()


def ended(name: str) -> dict[str, Any]:
    return streams.ended([streams.end(name, {"outcome": "completed"}, False)])


def leases(messages: list[dict[str, Any]]) -> list[Any]:
    return [
        [end[0] for end in message["ends"]] if message["op"] == streams.ENDED else message["op"]
        for message in messages
    ]


def test_the_loop_is_woken_once_for_many() -> None:
    worker = Worker()
    outbox = Outbox(worker)  # type: ignore[arg-type]
    for name in "abc":
        outbox.say([ended(name)])
    assert len(worker.woken) == 1
    worker.turn()
    assert leases(worker.sent) == [["a", "b", "c"]]
    outbox.say([ended("d")])
    assert len(worker.woken) == 1


def test_ends_that_can_wait_gather_for_a_moment() -> None:
    worker = Worker()
    outbox = Outbox(worker)  # type: ignore[arg-type]
    outbox.say([ended("a")], at_once=False)
    outbox.say([ended("b")], at_once=False)
    worker.turn()
    assert worker.sent == []
    ((seconds, send),) = worker.timers
    assert seconds == GATHER_SECONDS
    send()
    assert leases(worker.sent) == [["a", "b"]]


def test_what_can_t_wait_takes_along_what_can_in_order() -> None:
    worker = Worker()
    outbox = Outbox(worker)  # type: ignore[arg-type]
    outbox.say([ended("a")], at_once=False)
    outbox.say([ended("b"), streams.progress("c", 1, "")])
    outbox.say([ended("d")], at_once=False)
    worker.turn()
    assert leases(worker.sent) == [["a", "b"], streams.PROGRESS, ["d"]]
    # The timer finds nothing left, and is no harm.
    for _, send in worker.timers:
        send()
    assert len(worker.sent) == 3
