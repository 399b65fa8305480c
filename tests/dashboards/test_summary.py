"""The batch in text and in HTML that stand alone."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET
from typing import Any

import pytest

from soundforge_nb.dashboards.batch_summary import ProgressPrinter, as_html, as_text, mimebundle
from tests.dashboards.conftest import EVIL, finished_batch, job, running_batch


def evil_batch() -> dict[str, Any]:
    return running_batch(
        steps={EVIL: {"done": 1, "reused": 0, "failed": 1, "running": 1, "waiting": 0}},
        running=[job(EVIL, 5, EVIL) | {"step": EVIL}],
        failures=[{"name": EVIL, "step": EVIL, "error": f"{EVIL}\r\x1b[2Jgone"}],
    )


def parsed(html: str) -> ET.Element:
    """HTML of ours is well-formed, so a strict parser reads it."""
    return ET.fromstring(html)


@pytest.mark.parametrize("snapshot", [running_batch(), finished_batch(), evil_batch()])
def test_html_stands_alone(snapshot: dict[str, Any]) -> None:
    root = parsed(as_html(snapshot))
    tags = {element.tag for element in root.iter()}
    assert tags <= {"div", "p", "span", "strong", "br", "code", "ul", "li"} | {
        "table", "thead", "tbody", "tr", "th", "td", "svg", "rect",
    }  # fmt: skip
    attributes = {name for element in root.iter() for name in element.attrib}
    assert not {name for name in attributes if name.startswith("on") or name in ("src", "href")}
    assert "url(" not in as_html(snapshot)


def test_a_strangers_text_stays_text() -> None:
    html = as_html(evil_batch())
    assert "<img" not in html
    assert html.count("&lt;img src=x onerror=alert(1)&gt;") >= 3
    assert "\x1b" not in html + as_text(evil_batch())


def test_it_says_what_became_of_the_batch() -> None:
    words = " ".join(parsed(as_html(finished_batch())).itertext())
    for wanted in ("Finished", "3 of 4 tracks done, 1 failed", "1 min 8 s", "broken.wav is not audio."):
        assert wanted in words
    assert "as it stood" not in words


def test_a_batch_under_way_says_that_it_is_a_picture_of_a_moment() -> None:
    words = " ".join(parsed(as_html(running_batch())).itertext())
    assert "27 %" in words
    assert "as it stood when this was shown" in words
    assert "analyze a.wav: 4 % (Listening)" in words


def test_a_bar_is_as_long_as_its_share() -> None:
    counts = {"done": 1, "reused": 1, "failed": 0, "running": 1, "waiting": 1}
    svg = parsed(as_html(running_batch(steps={"separate": counts}))).findall(".//td/svg")[0]
    widths = [rect.get("width") for rect in svg.findall("rect")]
    assert widths == ["100%", "25.00%", "25.00%", "25.00%"]
    assert svg.get("aria-label") == "1 done, 1 reused, 1 running, 1 waiting"


def test_many_failures_are_counted() -> None:
    failures = [{"name": f"{n}.wav", "step": "analyze", "error": f"fault {n}"} for n in range(25)]
    for shown in mimebundle(finished_batch(failures=failures)).values():
        assert "fault 19" in shown
        assert "fault 20" not in shown
        assert "5 more" in shown


def test_a_batch_of_nothing() -> None:
    nothing = finished_batch(
        inputs={"total": 0, "done": 0, "failed": 0, "under_way": 0}, steps={}, failures=[], finished_at=None
    )
    parsed(as_html(nothing))
    assert as_text(nothing) == "Finished: 0 of 0 tracks done"


def test_text() -> None:
    assert as_text(running_batch()).splitlines() == [
        " 27 % · 0 of 4 tracks done, 1 failed, 3 under way",
        "  analyze: 2 running, 1 waiting",
        "  analyze a.wav: 4 % (Listening)",
        "  analyze b.wav: 80 % (Listening)",
        "  failed: broken.wav is not audio.",
    ]


def test_lines_of_progress_come_by_stage_or_by_time() -> None:
    stream, clock = io.StringIO(), iter([0.0, 1.0, 4.0, 4.5, 5.0])
    printer = ProgressPrinter(stream, lambda: next(clock))
    for snapshot in (
        running_batch(),
        running_batch(percent=28),
        running_batch(percent=29),
        finished_batch(),
        finished_batch(),
    ):
        printer.show(snapshot)
    assert [line[:12] for line in stream.getvalue().splitlines()] == [
        " 27 % · 0 of",
        " 29 % · 0 of",
        "Finished: 3 ",
    ]


def test_what_failed_at_every_step_in_the_same_words_is_told_once() -> None:
    failures = [
        {"name": "a.wav", "step": step, "error": "a.wav is not audio. Look at it."}
        for step in ("separate", "analyze")
    ]
    text = as_text(finished_batch(failures=failures))
    assert text.count("a.wav is not audio") == 1
