"""Messages are numbered in the order they were published, and reach topic and follower alike."""

from __future__ import annotations

import logging

import pytest

from soundforge_nb.lifecycle.pubsub import EVERY_TOPIC, Published, PubSub


def test_sequence_numbers_run_over_all_topics() -> None:
    pubsub, jobs, every = PubSub(), [], []
    pubsub.subscribe("jobs", jobs.append)
    pubsub.subscribe(EVERY_TOPIC, every.append)
    pubsub.publish("jobs", {"n": 1})
    pubsub.publish("batches", {"n": 2})
    pubsub.publish("jobs", {"n": 3})
    assert [(m.topic, m.sequence) for m in every] == [("jobs", 1), ("batches", 2), ("jobs", 3)]
    assert [m.sequence for m in jobs] == [1, 3]
    assert pubsub.sequence == 3


def test_a_new_pubsub_goes_on_where_the_last_one_ended() -> None:
    assert PubSub(first_sequence=41).publish("jobs", {}) == Published("jobs", 42, {})


def test_a_raising_subscriber_is_dropped(caplog: pytest.LogCaptureFixture) -> None:
    pubsub, heard = PubSub(), []

    def broken(_: Published) -> None:
        raise RuntimeError("broken")

    pubsub.subscribe("jobs", broken)
    pubsub.subscribe("jobs", heard.append)
    with caplog.at_level(logging.ERROR):
        pubsub.publish("jobs", {})
        pubsub.publish("jobs", {})
    assert len(heard) == 2
    assert len(caplog.records) == 1


def test_who_unsubscribes_hears_no_more_even_while_raising(caplog: pytest.LogCaptureFixture) -> None:
    pubsub, heard = PubSub(), []
    end = pubsub.subscribe("jobs", heard.append)

    def leave_and_raise(_: Published) -> None:
        end_of_broken()
        raise RuntimeError("broken")

    end_of_broken = pubsub.subscribe("jobs", leave_and_raise)
    pubsub.publish("jobs", {})
    end()
    end()
    pubsub.publish("jobs", {})
    assert len(heard) == 1
