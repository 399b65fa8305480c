"""The account adds up: every input is done, failed or under way, and each failure has its sentence."""

from __future__ import annotations

from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from soundforge_nb.jobs.states import State
from soundforge_nb.pipeline.account import STATUSES, progress_of, sentence_of, status_of, summary

FAULT = {"message": "It fell.", "remedy": "Lift it."}


def row(**changes: Any) -> dict[str, Any]:
    return {
        "position": 0,
        "name": "a.wav",
        "step": "separate",
        "job_id": "job",
        "state": "available",
        "reused": False,
        "error": None,
        "job_error": None,
        "progress": 0,
        "message": "",
        "attempt": 0,
    } | changes


def test_what_became_of_a_row() -> None:
    assert status_of(row(state="completed")) == "done"
    assert status_of(row(state=None, reused=True)) == "reused"
    assert status_of(row(state=None, error=FAULT)) == "failed"
    assert status_of(row(state="discarded")) == "failed"
    assert status_of(row(state="cancelled")) == "failed"
    assert status_of(row(state="executing")) == "running"
    for state in ("available", "scheduled", "retryable", None):
        assert status_of(row(state=state)) == "waiting"


def test_why_a_row_failed() -> None:
    assert sentence_of(row(error=FAULT)) == "It fell. Lift it."
    assert sentence_of(row(job_error={"message": "It fell."})) == "It fell."
    assert sentence_of(row()) == "It failed without a word."


def test_an_input_is_under_way_until_its_last_step_ended() -> None:
    rows = [
        row(position=0, step="separate", state="completed"),
        row(position=0, step="analyze", state=None, reused=True),
        row(position=1, step="separate", state="discarded", job_error=FAULT),
        row(position=1, step="analyze", state="executing", progress=50, message="half"),
        row(position=2, step=None, state=None, error=FAULT, name="bad.wav"),
    ]
    found = summary(rows)
    assert found["inputs"] == {"total": 3, "done": 1, "failed": 1, "under_way": 1}
    assert found["steps"]["separate"] == {"done": 1, "reused": 0, "failed": 1, "running": 0, "waiting": 0}
    assert found["percent"] == 90
    assert [entry["message"] for entry in found["running"]] == ["half"]
    assert found["failures"] == [
        {"name": "a.wav", "step": "separate", "error": "It fell. Lift it."},
        {"name": "bad.wav", "step": None, "error": "It fell. Lift it."},
    ]


def test_what_failed_of_the_batch_as_a_whole_is_no_input() -> None:
    found = summary(
        [
            row(state="completed"),
            row(position=-1, name="the output folder", step=None, state=None, error=FAULT),
        ]
    )
    assert found["inputs"] == {"total": 1, "done": 1, "failed": 0, "under_way": 0}
    assert [entry["name"] for entry in found["failures"]] == ["the output folder"]


def test_nothing_asked_is_done() -> None:
    assert summary([]) == {
        "inputs": {"total": 0, "done": 0, "failed": 0, "under_way": 0},
        "steps": {},
        "percent": 100,
        "running": [],
        "failures": [],
    }


ROWS = st.lists(
    st.builds(
        row,
        position=st.integers(0, 5),
        step=st.sampled_from(["separate", "analyze", None]),
        state=st.sampled_from([*State, None]),
        reused=st.booleans(),
        error=st.none() | st.just(FAULT),
        progress=st.none() | st.integers(0, 100),
    )
)


@given(ROWS)
def test_it_adds_up(rows: list[dict[str, Any]]) -> None:
    found = summary(rows)
    inputs = found["inputs"]
    assert inputs["done"] + inputs["failed"] + inputs["under_way"] == inputs["total"]
    assert inputs["total"] == len({entry["position"] for entry in rows})
    counted: Counter[str] = Counter()
    for step, counts in found["steps"].items():
        assert sum(counts.values()) == sum(entry["step"] == step for entry in rows)
        counted.update(counts)
    assert set(counted) <= set(STATUSES)
    assert 0 <= found["percent"] <= 100
    assert (found["percent"] == 100) <= (inputs["under_way"] == 0)
    assert (inputs["failed"] > 0) <= bool(found["failures"])
    assert all(0 <= progress_of(entry) <= 100 for entry in rows)
