"""Logs that stay small, while those who write to them go on."""

from __future__ import annotations

import fcntl
import logging
import shutil

import pytest

from soundforge_nb.lifecycle.log_bounds import log_also_to, move_aside


@pytest.fixture
def log(tmp_path):
    return tmp_path / "application.log"


def test_a_small_log_is_left_alone(log):
    log.write_text("a line\n")

    assert not move_aside(log, 100)
    assert not move_aside(log.with_name("missing.log"), 100)

    assert log.read_text() == "a line\n"


def test_who_has_it_open_goes_on_writing_to_it(log):
    with log.open("ab") as writer:
        writer.write(b"old\n" * 100)
        writer.flush()

        assert move_aside(log, 100)
        writer.write(b"new\n")

    assert log.read_text() == "new\n"
    assert log.with_name("application.log.1").read_text() == "old\n" * 100


def test_only_some_predecessors_are_kept(log):
    for number in range(5):
        log.write_text(f"{number}" * 20)
        assert move_aside(log, 10, kept=2)

    assert sorted(path.name for path in log.parent.iterdir()) == [
        "application.log", "application.log.1", "application.log.2",
    ]  # fmt: skip
    assert log.with_name("application.log.1").read_text() == "4" * 20
    assert log.with_name("application.log.2").read_text() == "3" * 20


def test_one_at_a_time(log):
    log.write_text("x" * 200)
    with log.open("rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert not move_aside(log, 100)

    assert move_aside(log, 100)


def test_on_a_full_disk_the_log_is_let_go_and_the_older_one_kept(log, monkeypatch):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    log.with_name("application.log.1").write_text("older")
    log.write_text("x" * 200)
    monkeypatch.setattr(shutil, "copyfileobj", full)

    assert move_aside(log, 100)

    assert log.read_text() == ""
    assert log.with_name("application.log.1").read_text() == "older"
    assert not log.with_name("application.log.part").exists()


def test_a_process_that_logs_to_a_shell_logs_to_the_file_too(log):
    root = logging.getLogger()
    before = list(root.handlers)
    try:
        log_also_to(log, "%(message)s")
        root.error("for the file")
    finally:
        for handler in set(root.handlers) - set(before):
            root.removeHandler(handler)
            handler.close()

    assert log.read_text() == "for the file\n"
