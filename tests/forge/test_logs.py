"""Which logs there are, their last lines, and what is added."""

from __future__ import annotations

from pathlib import Path

import pytest

from soundforge_nb.config import Config
from soundforge_nb.forge.logs import follow, last_lines, last_log_lines, log_files


@pytest.fixture
def config(tmp_path):
    made = Config(tmp_path)
    made.logs_folder.mkdir()
    return made


@pytest.fixture
def log(config):
    return config.logs_folder / "application.log"


def test_last_lines(log):
    log.write_text("".join(f"{number}\n" for number in range(50_000)))

    assert last_lines(log, 2) == ["49998", "49999"]
    assert last_lines(log, 0) == []
    assert last_lines(log, 60_000) == [str(number) for number in range(50_000)]


@pytest.mark.parametrize(("text", "lines"), [("", []), ("no end", ["no end"]), ("a\n\nb\n", ["", "b"])])
def test_odd_ends(log, text, lines):
    log.write_text(text)

    assert last_lines(log, 2) == lines


def test_lines_go_on_in_the_predecessor(config, log):
    log.write_text("3\n4\n")
    log.with_name("application.log.1").write_text("1\n2\n")
    log.with_name("application.log.2").write_text("0\n")

    assert last_log_lines(config, 3) == ["2", "3", "4"]
    assert last_log_lines(config, 100) == ["0", "1", "2", "3", "4"]
    assert [Path(entry["path"]).name for entry in log_files(config)] == [
        "application.log", "application.log.1", "application.log.2",
    ]  # fmt: skip


def test_without_a_folder_there_are_none(tmp_path):
    assert log_files(Config(tmp_path / "none")) == []
    assert last_log_lines(Config(tmp_path / "none"), 10) == []


def test_follow_goes_on_when_the_log_begins_anew(log):
    steps = iter(
        [
            lambda: log.write_text("first\nhal"),
            lambda: log.write_text("first\nhalf\n"),
            lambda: log.write_text("new\n"),
            log.unlink,
            lambda: log.write_text("again\n"),
        ]
    )
    told = follow(log, wait=lambda _: next(steps)())

    assert [next(told) for _ in range(4)] == ["first", "half", "new", "again"]
