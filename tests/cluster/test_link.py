"""A link follows each connection once, however many listen in turn, and the next one where that is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from soundforge_nb.cluster.link import RECONNECTED, Link
from soundforge_nb.errors import ConnectionLost

Listener = Callable[[dict[str, Any]], None]


class Line:
    """A connection that says what it is told to, and breaks at its first call where it is to."""

    address = "tls://127.0.0.1:1"

    def __init__(self, breaks: bool = False) -> None:
        self.breaks = breaks
        self.listeners: list[Listener] = []

    def call(self, method: str, **arguments: Any) -> Any:
        if self.breaks:
            raise ConnectionLost("It is gone.", "Connect again.")
        return "here"

    def follow(self, listener: Listener) -> Callable[[], None]:
        self.listeners.append(listener)
        return lambda: None

    def close(self) -> None:
        return

    def say(self, number: int) -> None:
        for listener in self.listeners:
            listener({"topic": "jobs", "sequence": number, "body": {}})


def link_over(*lines: Line) -> Link:
    waiting = list(lines)
    return Link(lambda: waiting.pop(0), patience_seconds=5.0)  # type: ignore[arg-type,return-value]


def test_who_listens_in_turn_hears_each_message_once() -> None:
    line = Line()
    link = link_over(line)
    for number in range(5):
        heard: list[dict[str, Any]] = []
        unfollow = link.follow(heard.append)
        line.say(number)
        unfollow()
        assert [message["sequence"] for message in heard] == [number]
    assert len(line.listeners) == 1


def test_several_at_once_hear_it_each() -> None:
    line = Line()
    link = link_over(line)
    ears: list[list[dict[str, Any]]] = [[], []]
    for ear in ears:
        link.follow(ear.append)
    line.say(1)
    assert [len(ear) for ear in ears] == [1, 1]


def test_the_next_connection_is_followed_where_somebody_listens() -> None:
    first, second = Line(breaks=True), Line()
    link = link_over(first, second)
    heard: list[dict[str, Any]] = []
    link.follow(heard.append)
    assert link.call("status") == "here"
    second.say(7)
    assert [message["sequence"] for message in heard] == [RECONNECTED["sequence"], 7]
    assert len(second.listeners) == 1
