"""Starts as a Dask worker asks for them: alone, several of a chunk together, and never an old word."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from soundforge_nb.cluster.starts import ANSWER_SECONDS, TOGETHER_SECONDS, Starts
from soundforge_nb.jobs.begun import Marks, marked, marks_file
from soundforge_nb.jobs.job import Job


class Application:
    """Answers at once, as it is told to."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.refused: set[str] = set()
        self.now = 1000.0
        self.starts = Starts(self._ask, lease_seconds=60.0, monotonic=lambda: self.now)

    def _ask(self, jobs: Sequence[Job]) -> None:
        self.asked.append([job.lease_id for job in jobs])
        allowed = {job.lease_id: 1 for job in jobs if job.lease_id not in self.refused}
        self.starts.answered(jobs[0].lease_id, allowed)


@pytest.fixture
def application() -> Application:
    return Application()


@pytest.fixture
def marks(tmp_path: Path) -> Marks:
    return Marks(marks_file(tmp_path, "slot"))


def jobs(*names: str) -> list[Job]:
    return [Job(name, "tiny", "analysis", {}, 0, 3, name) for name in names]


def test_the_first_of_a_kind_asks_alone_and_the_quick_ones_behind_it_together(
    application: Application, marks: Marks, tmp_path: Path
) -> None:
    chunk = application.starts.of_task(jobs(*"abcd"), marks, None)
    assert chunk.begin() == 1
    application.starts.ran("tiny", 1e-5)
    assert [chunk.begin() for _ in range(3)] == [1, 1, 1]
    assert application.asked == [["a"], ["b", "c", "d"]]
    assert marked(marks_file(tmp_path, "slot")) == {*"abcd"}


def test_as_many_together_as_are_over_within_a_moment(application: Application, marks: Marks) -> None:
    application.starts.ran("tiny", TOGETHER_SECONDS / 2)
    chunk = application.starts.of_task(jobs(*"abcde"), marks, None)
    assert [chunk.begin() for _ in range(5)] == [1] * 5
    assert application.asked == [["a", "b"], ["c", "d"], ["e"]]
    # One that takes its time makes the next ask alone again.
    for _ in range(20):
        application.starts.ran("tiny", 10.0)
    assert application.starts.together("tiny") == 1
    assert application.starts.together("another") == 1


def test_what_leaves_no_mark_asks_for_itself(application: Application) -> None:
    application.starts.ran("tiny", 1e-5)
    chunk = application.starts.of_task(jobs(*"ab"), None, None)
    assert [chunk.begin(), chunk.begin()] == [1, 1]
    assert application.asked == [["a"], ["b"]]


def test_who_is_not_in_the_answer_does_not_begin(
    application: Application, marks: Marks, tmp_path: Path
) -> None:
    application.starts.ran("tiny", 1e-5)
    application.refused = {"b"}
    chunk = application.starts.of_task(jobs(*"abc"), marks, None)
    assert [chunk.begin() for _ in range(3)] == [1, None, 1]
    assert marked(marks_file(tmp_path, "slot")) == {"a", "c"}


def test_an_old_word_holds_no_more(application: Application, marks: Marks, tmp_path: Path) -> None:
    application.starts.ran("tiny", 1e-5)
    chunk = application.starts.of_task(jobs(*"ab"), marks, None)
    assert chunk.begin() == 1
    # The machine slept, or this process was stopped: the lease may be somebody else's by now.
    application.now += application.starts.stale_seconds + 1
    assert chunk.begin() is None
    assert marked(marks_file(tmp_path, "slot")) == {"a"}


def test_a_cancel_is_remembered_until_it_is_looked_for(application: Application) -> None:
    application.starts.cancel("a", "enough")
    assert application.starts.cancelled("a") == "enough"
    assert application.starts.cancelled("b") is None


def test_no_answer_is_a_no(monkeypatch: pytest.MonkeyPatch, marks: Marks) -> None:
    monkeypatch.setattr("soundforge_nb.cluster.starts.ANSWER_SECONDS", 0.01)
    assert ANSWER_SECONDS > 1
    silent = Starts(lambda jobs: None, lease_seconds=60.0)
    assert silent.of_task(jobs("a"), marks, None).begin() is None
    # Whom nobody waits for any more, an answer does not upset.
    silent.answered("a", {"a": 1})


def test_a_start_that_came_with_its_claim_is_not_asked_for(application: Application) -> None:
    number = application.starts.pulse()
    application.now += 12
    task = application.starts.of_task(jobs("a"), None, number)
    assert task.begin() == 0
    assert application.asked == []


@pytest.mark.parametrize("why", ["long ago", "forgotten", "never given"])
def test_one_whose_word_is_old_does_not_begin(application: Application, why: str) -> None:
    number = application.starts.pulse()
    if why == "long ago":
        application.now += application.starts.stale_seconds + 1
    elif why == "forgotten":
        for _ in range(100):
            application.starts.pulse()
    else:
        number += 1
    assert application.starts.of_task(jobs("a"), None, number).begin() is None
    assert application.asked == []


def test_one_of_a_chunk_leaves_its_mark_all_the_same(
    application: Application, marks: Marks, tmp_path: Path
) -> None:
    task = application.starts.of_task(jobs("a"), marks, application.starts.pulse())
    assert task.begin() == 0
    assert marked(marks_file(tmp_path, "slot")) == {"a"}
