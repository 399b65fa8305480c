"""Marks of a chunk's jobs that really began."""

from __future__ import annotations

from pathlib import Path

import pytest

from soundforge_nb.jobs.begun import Marks, all_marked, marked, marks_file, slot_of


def test_each_mark_is_there_at_once(tmp_path: Path) -> None:
    file = marks_file(tmp_path / "staging", "slot")
    marks = Marks(file)
    # Nothing began: there is no file.
    assert not file.exists()
    assert marked(file) == set()
    marks.mark("one")
    assert marked(file) == {"one"}
    marks.mark("two")
    assert marked(file) == {"one", "two"}
    marks.close()
    marks.close()
    assert slot_of(file.name) == "slot"
    assert slot_of("lease") == "lease"


def test_marks_of_every_slot(tmp_path: Path) -> None:
    assert all_marked(tmp_path / "nowhere") == set()
    for slot in ("a", "b"):
        marks = Marks(marks_file(tmp_path, slot))
        marks.mark(f"{slot}1")
        marks.close()
    (tmp_path / "c").mkdir()
    assert all_marked(tmp_path) == {"a1", "b1"}


def test_a_torn_mark_is_none(tmp_path: Path) -> None:
    file = marks_file(tmp_path, "slot")
    file.write_bytes(b"one\ntw")
    assert marked(file) == {"one"}


def test_no_data_folder_is_made_where_there_is_none(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        Marks(marks_file(tmp_path / "elsewhere" / "staging", "slot")).mark("one")
    assert not (tmp_path / "elsewhere").exists()
