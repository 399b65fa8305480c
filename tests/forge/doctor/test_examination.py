"""Every check ends in findings, whatever it meets."""

from __future__ import annotations

import threading

import pytest

from soundforge_nb.errors import StoreError
from soundforge_nb.forge.doctor.examination import Examination, as_json, worst
from soundforge_nb.forge.doctor.finding import Level, ok, problem, warning
from soundforge_nb.forge.doctor.report import lines_of, summary


def look(error):
    def run():
        yield ok("first", "What came before the fault counts.")
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "sentence", "remedy"),
    [
        (StoreError("The store burns.", "Call for help."), "The store burns.", "Call for help."),
        (PermissionError(13, "x", "/data/lock"), "Permission denied (/data/lock)", "permissions"),
        (ZeroDivisionError("by zero"), "ZeroDivisionError: by zero", "report it"),
    ],
)
def test_a_check_that_fails_is_a_problem(error, sentence, remedy):
    first, second = Examination("store", look(error), 10).findings()

    assert first.level is Level.OK
    assert second.level is Level.PROBLEM
    assert sentence in second.message
    assert remedy in second.remedy


def test_a_check_that_hangs_is_given_up():
    release = threading.Event()

    def hang():
        yield ok("first", "Before it hung.")
        release.wait(60)

    _, second = Examination("disk", hang, 0.2).findings()
    release.set()

    assert second.level is Level.PROBLEM
    assert "disk did not end within 0.2 s" in second.message


def test_the_worst_counts():
    findings = [ok("a", "A."), warning("b", "B.", "Do b."), problem("c", "C.", "Do c.")]

    assert worst([]) is Level.OK
    assert worst(findings[:2]) is Level.WARNING
    assert worst(findings) is Level.PROBLEM
    assert as_json(findings)["level"] == "problem"
    assert as_json(findings)["findings"][1] == {
        "check": "b", "level": "warning", "message": "B.", "remedy": "Do b.", "details": {},
    }  # fmt: skip


def test_the_report_of_a_person():
    findings = [ok("a", "A is well."), problem("c", "C is not.", "Do c.")]

    assert list(lines_of(findings)) == [
        "ok      A is well.",
        "PROBLEM C is not.",
        "        → Do c.",
        "",
        "1 problem, 0 warnings: see the remedies above.",
    ]
    assert summary(findings[:1]) == "0 problems, 0 warnings: nothing keeps it from working."
