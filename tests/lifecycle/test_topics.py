"""A follower of one job hears of that one, and always of a gap."""

from __future__ import annotations

from typing import Any

import pytest

from soundforge_nb.lifecycle.topics import fits

JOB = {"topic": "jobs", "body": {"job_id": "a", "batch_id": "b", "queue": "analysis"}}
BATCH = {"topic": "batches", "body": {"batch_id": "b", "state": "finished"}}
QUEUE = {"topic": "queues", "body": {"queue": "analysis", "paused": True}}
GAP = {"topic": "connection", "body": {"state": "reconnected"}}


@pytest.mark.parametrize(
    ("topic", "heard"),
    [
        ("jobs", [JOB, GAP]),
        ("jobs:a", [JOB, GAP]),
        ("jobs:b", [GAP]),
        ("batches", [BATCH, GAP]),
        ("batches:b", [JOB, BATCH, GAP]),
        ("batches:a", [GAP]),
        ("queues", [QUEUE, GAP]),
        ("queues:analysis", [GAP]),
        ("nothing", [GAP]),
    ],
)
def test_who_hears_what(topic: str, heard: list[dict[str, Any]]) -> None:
    assert [message for message in (JOB, BATCH, QUEUE, GAP) if fits(topic, message)] == heard
