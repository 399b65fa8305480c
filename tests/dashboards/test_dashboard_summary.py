"""The dashboard in text and in HTML that stand alone."""

from __future__ import annotations

import pytest

from soundforge_nb.dashboards.dashboard_state import curves, dashboard_state, jobs_page
from soundforge_nb.dashboards.dashboard_summary import (
    as_html,
    as_text,
    metrics_html,
    metrics_text,
    unreachable,
)
from tests.dashboards import answers
from tests.dashboards.conftest import EVIL
from tests.dashboards.test_summary import parsed

NO_FAILURES = {"total": 0, "rows": []}


@pytest.mark.parametrize("make", [answers.busy, answers.empty, answers.troubled])
def test_html_stands_alone(make: answers.Make) -> None:
    html = as_html(dashboard_state(make()), jobs_page(answers.failures()))
    attributes = {name for element in parsed(html).iter() for name in element.attrib}
    assert not {name for name in attributes if name.startswith("on") or name in ("src", "href")}
    assert "url(" not in html
    assert "<img" not in html


def test_a_strangers_text_stays_text() -> None:
    state = dashboard_state(answers.busy())
    html = as_html(state, jobs_page(answers.failures()))
    assert html.count("&lt;img src=x onerror=alert(1)&gt;") >= 3
    assert "\x1b" not in html + as_text(state, jobs_page(answers.failures()))
    history = curves(answers.history(label=EVIL))
    assert "<img" not in metrics_html(history)
    assert EVIL in metrics_text(history)


def test_text() -> None:
    told = as_text(dashboard_state(answers.busy()), jobs_page(answers.failures()))
    assert told.splitlines()[:5] == [
        "2 running, 12 waiting, 1 retryable, 9,948 completed, 1 discarded",
        "  download: 0 of 3 running, 0 waiting, paused",
        "  processing: 1 of 2 running, 12 waiting",
        "  analysis: 1 of 2 running, 0 waiting",
        "  Separate Late Bloomer: 62 % (Segment 31 of 50)",
    ]
    assert "  failed: Kite: Kite.flac ends in the middle of a frame." in told


def test_an_empty_dashboard_says_what_to_do_next() -> None:
    state = dashboard_state(answers.empty())
    for told in (as_text(state, NO_FAILURES), " ".join(parsed(as_html(state, NO_FAILURES)).itertext())):
        assert "forge.process(forge.add(" in told


def test_a_service_that_does_not_run_is_named() -> None:
    state = dashboard_state(answers.troubled())
    for told in (as_text(state, NO_FAILURES), " ".join(parsed(as_html(state, NO_FAILURES)).itertext())):
        assert "store is restarting: OSError('disk')" in " ".join(told.split())


def test_metrics_come_with_their_last_value_and_their_curve() -> None:
    history = curves(answers.history(label="sql"))
    assert metrics_text(history).splitlines()[1] == "  rpc.stop.duration (sql): 2.50 ms"
    assert len(parsed(metrics_html(history)).findall(".//polyline")) == 3


def test_nothing_measured_is_said() -> None:
    nothing = {"at": 0.0, "metrics": []}
    assert metrics_text(nothing) == "Nothing was measured yet."
    assert "Nothing was measured yet" in metrics_html(nothing)


def test_an_application_that_can_not_be_asked_is_a_sentence() -> None:
    told = unreachable(f"{EVIL} is gone.")
    assert told["text/plain"] == f"The application can't be asked. {EVIL} is gone."
    assert "<img" not in told["text/html"]
