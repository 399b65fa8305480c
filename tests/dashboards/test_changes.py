"""States of a view: cut to a screen, and told by what changed."""

from __future__ import annotations

from soundforge_nb.dashboards.batch_state import SHOWN_FAILURES, SHOWN_RUNNING, batch_state
from soundforge_nb.dashboards.changes import changes
from tests.dashboards.conftest import finished_batch, job, running_batch


def test_nothing_changed_is_nothing() -> None:
    assert changes(batch_state(running_batch()), batch_state(running_batch()), {"running": "job_id"}) == {}


def test_rows_that_left_travel_as_an_order_without_them() -> None:
    told = changes(
        batch_state(running_batch()),
        batch_state(running_batch(running=[job("b", 80)])),
        {"running": "job_id"},
    )
    assert told == {"parts": {}, "rows": {"running": {"order": ["b"], "changed": []}}}


def test_a_thousand_jobs_and_failures_are_counted_and_not_sent() -> None:
    failures = [{"name": f"{n}.wav", "step": "analyze", "error": "no"} for n in range(1000)]
    state = batch_state(running_batch(running=[job(str(n), 1) for n in range(1000)], failures=failures))
    assert len(state["running"]) == SHOWN_RUNNING
    assert state["running_more"] == 1000 - SHOWN_RUNNING
    assert len(state["failures"]) + state["failures_more"] == 1000
    assert len(state["failures"]) == SHOWN_FAILURES
    assert state["retryable"] == 1000


def test_what_was_refused_can_not_be_tried_again() -> None:
    assert batch_state(finished_batch())["retryable"] == 0


def test_times_are_seconds() -> None:
    state = batch_state(finished_batch())
    assert round(state["finished_at"] - state["started_at"], 3) == 67.756
