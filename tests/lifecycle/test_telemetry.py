"""Events reach those attached to them; a handler that raises is detached and breaks nothing."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from typing import Any

import pytest

from soundforge_nb.lifecycle.telemetry import Telemetry


class Seen:
    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, float], dict[str, Any]]] = []

    def __call__(self, event: str, measurements: Mapping[str, float], metadata: Mapping[str, Any]) -> None:
        self.events.append((event, dict(measurements), dict(metadata)))


def test_only_attached_events_arrive() -> None:
    telemetry, seen = Telemetry(), Seen()
    telemetry.attach("seen", ["job.stop"], seen)
    telemetry.execute("job.stop", {"count": 1}, {"queue": "analysis"})
    telemetry.execute("job.start", {"count": 1})
    assert seen.events == [("job.stop", {"count": 1}, {"queue": "analysis"})]


def test_a_raising_handler_is_detached_and_the_others_go_on(caplog: pytest.LogCaptureFixture) -> None:
    telemetry, seen = Telemetry(), Seen()

    def broken(*_: Any) -> None:
        raise RuntimeError("broken")

    telemetry.attach("broken", ["e"], broken)
    telemetry.attach("seen", ["e"], seen)
    with caplog.at_level(logging.ERROR):
        telemetry.execute("e")
        telemetry.execute("e")
    assert len(seen.events) == 2
    assert telemetry.attached() == ["seen"]
    assert [record.getMessage() for record in caplog.records] == [
        "telemetry handler 'broken' raised at e and is detached"
    ]


def test_one_name_is_one_handler() -> None:
    telemetry = Telemetry()
    telemetry.attach("one", ["e"], Seen())
    with pytest.raises(ValueError, match="attached already"):
        telemetry.attach("one", ["e"], Seen())
    telemetry.detach("one")
    telemetry.detach("one")
    assert telemetry.attached() == []


def test_attaching_from_many_threads_loses_none() -> None:
    telemetry = Telemetry()
    threads = [
        threading.Thread(target=telemetry.attach, args=(f"handler {number}", ["e"], Seen()))
        for number in range(50)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(telemetry.attached()) == 50


def test_a_span_is_measured() -> None:
    telemetry, seen = Telemetry(), Seen()
    telemetry.attach("seen", ["port.start", "port.stop", "port.exception"], seen)
    with telemetry.span("port", {"program": "analyze"}):
        pass
    (start, _, _), (stop, measured, metadata) = seen.events
    assert (start, stop) == ("port.start", "port.stop")
    assert measured["duration_seconds"] >= 0
    assert metadata == {"program": "analyze"}


def test_a_span_that_raises_says_so_and_raises_on() -> None:
    telemetry, seen = Telemetry(), Seen()
    telemetry.attach("seen", ["port.stop", "port.exception"], seen)
    with pytest.raises(KeyError), telemetry.span("port"):
        raise KeyError("gone")
    ((event, measured, metadata),) = seen.events
    assert event == "port.exception"
    assert "duration_seconds" in measured
    assert metadata["error"] == "KeyError('gone')"
