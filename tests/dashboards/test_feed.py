"""A feed: snapshot, then changes, to who looks, at its pace, and the last state always."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace

from soundforge_nb.dashboards.batch_state import batch_state
from soundforge_nb.dashboards.batch_view import ROWS
from soundforge_nb.dashboards.feed import Feed, Pace
from soundforge_nb.errors import ConnectionLost
from tests.dashboards.conftest import (
    PATIENCE_SECONDS,
    QUICK,
    FakeSource,
    Sent,
    finished_batch,
    job,
    running_batch,
)


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < end, "it did not come true"
        threading.Event().wait(0.002)


def test_without_viewers_nothing_is_asked_and_nothing_is_sent(
    feed: Feed, source: FakeSource, sent: Sent
) -> None:
    source.becomes(finished_batch())
    assert (source.looked, source.listeners, sent.all, feed.running) == (0, [], [], False)


def test_a_snapshot_then_changed_parts_and_rows_only(feed: Feed, source: FakeSource, sent: Sent) -> None:
    feed.heard("view", 0)
    snapshot = sent.next("snapshot")
    assert snapshot["state"]["percent"] == 27
    source.becomes(running_batch(percent=30, running=[job("b", 90), job("c", 0)]))
    change = sent.next("change")
    assert change["number"] == snapshot["number"] + 1
    assert change["parts"] == {"percent": 30}
    assert change["rows"]["running"]["order"] == ["b", "c"]
    assert [row["job_id"] for row in change["rows"]["running"]["changed"]] == ["b", "c"]


def test_looking_without_a_change_sends_nothing(feed: Feed, source: FakeSource, sent: Sent) -> None:
    feed.heard("view", 0)
    sent.next("snapshot")
    looked = source.looked
    until(lambda: source.looked > looked + 2)
    assert sent.of("change", "snapshot") == sent.all[-1:]


def test_a_flood_becomes_a_trickle_and_ends_with_the_last_state(
    make_feed: Callable[[Pace], Feed], source: FakeSource, sent: Sent
) -> None:
    feed = make_feed(replace(QUICK, fastest=0.1))
    feed.heard("view", 0)
    sent.next("snapshot")
    began = time.monotonic()
    for number in range(5000):
        source.becomes(running_batch(percent=number % 99, running=[job("a", number % 99)]))
    source.becomes(finished_batch())
    until(lambda: any(m["parts"].get("state") == "finished" for m in sent.of("change")))
    assert len(sent.of("change")) <= 2 + (time.monotonic() - began) / 0.1


def test_a_view_that_missed_a_message_gets_a_snapshot(feed: Feed, source: FakeSource, sent: Sent) -> None:
    feed.heard("view", 0)
    number = sent.next("snapshot")["number"]
    feed.heard("view", number)
    source.becomes(running_batch(percent=31))
    assert sent.next("change", "snapshot")["type"] == "change"
    feed.heard("view", number)
    assert sent.next("snapshot")["state"]["percent"] == 31


def test_a_second_view_gets_a_snapshot_and_every_heartbeat_an_answer(feed: Feed, sent: Sent) -> None:
    feed.heard("one", 0)
    number = sent.next("snapshot")["number"]
    feed.heard("two", 0)
    assert sent.next("pulse")["number"] == number
    assert sent.next("snapshot")["number"] == number


def test_it_ends_when_the_last_view_leaves_and_begins_anew(
    feed: Feed, source: FakeSource, sent: Sent
) -> None:
    feed.heard("one", 0)
    feed.heard("two", 0)
    sent.next("snapshot")
    feed.left("one")
    feed.left("two")
    until(lambda: not feed.running and not source.listeners)
    feed.heard("three", 0)
    until(lambda: len(sent.of("snapshot")) >= 2 and feed.running)


def test_a_view_that_is_not_heard_any_more_is_gone(
    make_feed: Callable[[Pace], Feed], source: FakeSource, sent: Sent
) -> None:
    feed = make_feed(replace(QUICK, lease=0.2))
    feed.heard("view", 0)
    sent.next("snapshot")
    until(lambda: not feed.running and not source.listeners)


def test_views_of_a_finished_batch_rest_and_are_there_when_it_goes_on(
    make_feed: Callable[[Pace], Feed], source: FakeSource, sent: Sent
) -> None:
    source.now = finished_batch()
    feed = make_feed(replace(QUICK, lease=0.01))
    feed.heard("view", 0)
    sent.next("snapshot")
    threading.Event().wait(0.1)
    assert (source.looked, feed.running) == (1, True)
    source.becomes(running_batch())
    assert sent.next("change")["parts"]["state"] == "running"


def test_a_lost_connection_is_told_and_its_return_begins_with_a_snapshot(
    feed: Feed, source: FakeSource, sent: Sent
) -> None:
    feed.heard("view", 0)
    sent.next("snapshot")
    source.fault = ConnectionLost("The application went away.", "Nothing is lost.")
    assert sent.next("lost")["sentence"] == "The application went away. Nothing is lost."
    waits = [sent.next("lost")["again_seconds"] for _ in range(3)]
    assert waits[-1] == QUICK.longest_backoff
    source.fault = None
    assert sent.next("snapshot")["state"]["percent"] == 27
    until(lambda: len(source.listeners) == 1)


def test_a_fault_of_another_kind_is_told_in_a_sentence_too(
    feed: Feed, source: FakeSource, sent: Sent
) -> None:
    source.fault = ValueError("odd")
    feed.heard("view", 0)
    assert sent.next("lost")["sentence"] == "Something went wrong (ValueError: odd)."


def test_an_application_that_does_not_answer_is_told_by_the_pulse(
    feed: Feed, source: FakeSource, sent: Sent
) -> None:
    source.gate.clear()
    feed.heard("view", 0)
    assert sent.next("pulse")["unanswered_seconds"] == 0
    until(lambda: source.looked == 1)
    threading.Event().wait(0.15)
    feed.heard("view", 0)
    assert sent.next("pulse")["unanswered_seconds"] > 0.1
    source.gate.set()
    sent.next("snapshot")


def test_an_answer_that_is_missing_is_told_unasked(
    make_feed: Callable[[Pace], Feed], source: FakeSource, sent: Sent
) -> None:
    feed = make_feed(replace(QUICK, unanswered=0.02))
    feed.heard("view", 0)
    sent.next("snapshot")
    source.gate.clear()
    feed.look()
    waits = [sent.next("pulse")["unanswered_seconds"] for _ in range(12)]
    assert waits[-1] > waits[0], "it does not say for how long"
    source.gate.set()
    feed.left("view")


def test_looking_takes_a_quarter_of_the_time_at_most(
    make_feed: Callable[[Pace], Feed], source: FakeSource, sent: Sent
) -> None:
    feed = make_feed(replace(QUICK, fastest=0.0))
    slow = source.snapshot

    def snapshot() -> dict[str, object]:
        threading.Event().wait(0.05)
        return slow()

    source.snapshot = snapshot  # type: ignore[method-assign]
    feed.heard("view", 0)
    sent.next("snapshot")
    began, looked = time.monotonic(), source.looked
    while time.monotonic() - began < 1.0:
        source.becomes(running_batch(percent=int(100 * (time.monotonic() - began))))
        threading.Event().wait(0.005)
    assert source.looked - looked <= 1 + 1.0 / 0.2


def test_a_page_that_can_not_be_reached_does_not_end_the_feed(source: FakeSource, sent: Sent) -> None:
    def send(message: dict[str, object]) -> None:
        sent(message)
        raise OSError("the socket is closed")

    feed = Feed(source, send, batch_state, ROWS, pace=QUICK)
    feed.heard("view", 0)
    sent.next("snapshot")
    source.becomes(finished_batch())
    sent.next("change")
    feed.left("view")
    until(lambda: not feed.running)


class Cell:
    """A cell that runs or not."""

    runs = True


def deaf_feed(source: FakeSource, sent: Sent, cell: Cell, pace: Pace) -> Feed:
    return Feed(source, sent, batch_state, ROWS, cell_runs=lambda: cell.runs, pace=pace)


def test_while_a_cell_runs_a_view_is_told_unasked(source: FakeSource, sent: Sent) -> None:
    cell = Cell()
    feed = deaf_feed(source, sent, cell, replace(QUICK, lease=0.05, deaf_after=0.0, deaf_look=0.02))
    feed.expect()
    began = time.monotonic()
    while time.monotonic() - began < 0.3:
        assert sent.next("snapshot")["state"]["percent"] == 27
    assert feed.running, "a lease ran out though nobody could be heard"
    cell.runs = False
    until(lambda: not feed.running)


def test_at_rest_only_a_view_that_is_about_to_appear_is_told_unasked(source: FakeSource, sent: Sent) -> None:
    source.now = finished_batch()
    feed = deaf_feed(source, sent, Cell(), replace(QUICK, lease=0.2, deaf_after=0.0, deaf_look=0.02))
    feed.expect()
    for _ in range(3):
        sent.next("snapshot")
    threading.Event().wait(0.3)
    told = len(sent.all)
    threading.Event().wait(0.2)
    assert len(sent.all) == told
    feed.heard("view", 0)
    feed.left("view")
    until(lambda: not feed.running)


def test_a_kernel_that_hears_while_a_cell_runs_is_not_deaf(source: FakeSource, sent: Sent) -> None:
    feed = deaf_feed(source, sent, Cell(), replace(QUICK, deaf_look=0.0))
    feed.heard("view", 0)
    sent.next("snapshot")
    looked = source.looked
    until(lambda: source.looked > looked + 3)
    assert len(sent.of("snapshot")) == 1
    feed.left("view")
    until(lambda: not feed.running)
