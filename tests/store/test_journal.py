"""The journal: what was noted is there after a crash, what was not written whole is not."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from soundforge_nb.store.journal import Event, Journal, line_of

EVENTS: list[Event] = [
    {"key": "a", "n": 1},
    {"key": "b", "text": "Grüße\nund\x00mehr"},
    {"key": "a", "n": None},
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "soundforge.duckdb.journal"


@pytest.fixture
def journal(file: Path) -> Iterator[Journal]:
    made = opened(file)
    yield made
    made.close()


def opened(file: Path, *events: Event) -> Journal:
    journal = Journal(file, events)
    journal.open()
    return journal


def note(journal: Journal, *events: Event) -> None:
    journal.append([line_of(event) for event in events], events)


def test_what_was_noted_is_there_when_it_is_opened_again(file: Path, journal: Journal) -> None:
    note(journal, EVENTS[0])
    note(journal, *EVENTS[1:])
    assert journal.events == EVENTS
    assert journal.keys == ["a", "b"]
    # The first was never closed: as after a kill.
    assert opened(file).events == EVENTS


def test_what_the_database_knows_is_forgotten(file: Path, journal: Journal) -> None:
    note(journal, *EVENTS)
    journal.clear()
    note(journal, EVENTS[1])
    assert opened(file).events == [EVENTS[1]]


def test_what_may_be_forgotten_is_not_written(file: Path, journal: Journal) -> None:
    journal.remember([EVENTS[0]])
    note(journal, EVENTS[1])
    assert journal.events == EVENTS[:2]
    assert opened(file).events == [EVENTS[1]]


def test_a_line_that_was_cut_off_anywhere_is_left_out(file: Path, journal: Journal) -> None:
    note(journal, *EVENTS)
    whole = file.read_bytes()
    second = whole.index(line_of(EVENTS[2]))
    for cut in range(second, len(whole) - 1):
        file.write_bytes(whole[:cut])
        assert opened(file).events == EVENTS[:2]


@pytest.mark.parametrize("place", [0, 4, 8, 9, 20])
def test_a_line_of_other_bytes_ends_it(file: Path, journal: Journal, place: int) -> None:
    note(journal, *EVENTS)
    whole = bytearray(file.read_bytes())
    at = len(line_of(EVENTS[0])) + place
    whole[at] ^= 0x01
    file.write_bytes(whole)
    assert opened(file).events == EVENTS[:1]


def test_a_full_disk_leaves_what_was_there(
    file: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    note(journal, EVENTS[0])
    write = os.write
    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space left"):
        patch.setattr(os, "write", lambda descriptor, text: write(descriptor, text[:10]))
        note(journal, EVENTS[1])
    assert journal.events == EVENTS[:1]
    note(journal, EVENTS[2])
    assert opened(file).events == [EVENTS[0], EVENTS[2]]


def test_a_disk_that_does_not_keep_it_is_said(
    file: Path, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ill(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="Input/output"):
        patch.setattr(os, "fdatasync", ill)
        note(journal, EVENTS[0])
    assert journal.events == []
    assert file.read_bytes() == b""


def test_the_file_is_its_owner_s_and_goes_when_it_is_empty(file: Path, journal: Journal) -> None:
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    journal.close()
    assert not file.exists()
    journal.close()
    left = opened(file)
    note(left, EVENTS[0])
    left.close()
    assert opened(file).events == EVENTS[:1]


def test_another_of_the_same_process_knows_more_than_the_file(file: Path, journal: Journal) -> None:
    journal.remember([EVENTS[0]])
    note(journal, EVENTS[1])
    assert opened(file, *journal.events).events == EVENTS[:2]


@pytest.mark.parametrize("value", [float("nan"), "\ud800", object(), {1, 2}])
def test_what_is_no_json_is_refused_before_anything_is_written(value: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        line_of({"key": "a", "value": value})
