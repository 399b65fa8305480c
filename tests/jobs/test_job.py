"""Jobs and outcomes as values that travel as JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest

from soundforge_nb.errors import UnknownKind
from soundforge_nb.jobs.job import (
    Cancel,
    Completed,
    Discard,
    Job,
    NewJob,
    Outcome,
    Retry,
    Snooze,
    outcome_as_json,
    outcome_from_json,
)
from soundforge_nb.jobs.kind import Kind, Kinds


@pytest.mark.parametrize(
    "outcome",
    [
        Completed({"stems": [1, 2]}),
        Retry({"message": "x"}),
        Retry({"message": "x"}, after_seconds=2.5),
        Snooze(3.0, "later"),
        Cancel("stop"),
        Discard({"message": "y"}),
    ],
)
def test_outcomes_travel(outcome: Outcome) -> None:
    assert outcome_from_json(json.loads(json.dumps(outcome_as_json(outcome)))) == outcome


def test_a_claimed_job_travels() -> None:
    job = Job("j", "plain", "analysis", {"path": "ä"}, 1, 2, "l", parents={"p": {"stems": []}})
    assert Job(**json.loads(json.dumps(job.as_json()))) == job


@pytest.mark.parametrize(
    ("options", "waits"),
    [({}, False), ({"parents": ("p",)}, True), ({"scheduled_in_seconds": 0.1}, True)],
)
def test_a_new_job_knows_whether_it_waits(options: dict[str, Any], waits: bool) -> None:
    assert NewJob("plain", "analysis", {}, 2, **options).waits is waits


class Urgent(Kind):
    name, queue, max_attempts, priority = "urgent", "download", 3, 1


def test_a_kind_makes_jobs_of_its_own_sort() -> None:
    job = Urgent().new({"a": 1}, max_attempts=7)
    assert (job.kind, job.queue, job.priority, job.max_attempts) == ("urgent", "download", 1, 7)


def test_kinds_are_known_by_name() -> None:
    kinds = Kinds([Urgent()])
    assert kinds["urgent"].name in kinds
    assert kinds.names == ["urgent"]
    with pytest.raises(UnknownKind, match=r"named 'other' here\. Known: urgent\."):
        kinds["other"]
