"""Who serves a data folder: files of other versions, reused process numbers, other hosts, locks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from soundforge_nb.cluster import discovery, launch
from soundforge_nb.cluster.discovery import (
    Whereabouts,
    is_locked,
    living,
    make_data_folder,
    only_one,
    read_whereabouts,
    write_whereabouts,
)
from soundforge_nb.config import Config
from soundforge_nb.errors import ConnectError, StartFailed, VersionMismatch


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(data_folder=tmp_path, start_timeout_seconds=0.2)


@pytest.fixture
def here() -> Whereabouts:
    return Whereabouts.of_this_process("tls://127.0.0.1:1", "http://127.0.0.1:2")


@pytest.fixture
def another_process() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def found(config: Config, whereabouts: Whereabouts) -> Whereabouts | None:
    write_whereabouts(config.scheduler_file, whereabouts)
    return living(config.scheduler_file, config.lock_file)


def test_the_one_that_lives_is_found(config: Config, here: Whereabouts) -> None:
    assert found(config, here) == here


def test_nobody_is_found_where_nothing_sensible_is_written(config: Config) -> None:
    for content in ("", "{", "[]", "7", '"text"', "{}", '{"pid": 1}', "\x00"):
        config.scheduler_file.write_text(content)
        assert living(config.scheduler_file, config.lock_file) is None


def test_a_process_that_got_the_number_since_is_not_the_application(
    config: Config, here: Whereabouts, another_process: subprocess.Popen[bytes]
) -> None:
    assert found(config, replace(here, pid=another_process.pid)) is None
    # As a version would have written it that knew no ticks.
    old = replace(
        here, pid=another_process.pid, process_ticks=None, process_started=here.process_started - 60
    )
    assert found(config, old) is None


def test_the_clock_may_be_set_while_the_application_runs(config: Config, here: Whereabouts) -> None:
    if here.process_ticks is None:
        pytest.skip("this system tells of a process' start by the clock alone")
    moved = replace(here, process_started=here.process_started - 3600)
    assert found(config, moved) == moved


def test_after_a_boot_nobody_lives(config: Config, here: Whereabouts) -> None:
    assert found(config, replace(here, boot_id="another boot")) is None


def test_another_host_is_named_with_what_to_do(config: Config, here: Whereabouts) -> None:
    away = replace(here, host="studio", boot_id="of the studio")
    with pytest.raises(ConnectError) as caught:
        found(config, away)
    assert caught.value.kind == "other_host"
    assert "served on the host studio" in str(caught.value)
    assert f"remove {config.scheduler_file}" in str(caught.value)
    # And connect() does not wait, nor start a second one.
    with pytest.raises(ConnectError, match="studio"):
        launch.find_or_start(config)
    assert not config.logs_folder.exists()


def test_a_host_that_was_only_renamed_is_this_one(config: Config, here: Whereabouts) -> None:
    renamed = replace(here, host="the old name")
    assert found(config, renamed) == renamed


def test_a_container_of_this_machine_counts_while_it_holds_the_lock(
    config: Config, here: Whereabouts, another_process: subprocess.Popen[bytes]
) -> None:
    elsewhere = replace(here, host="container", pid=another_process.pid)
    with only_one(config.lock_file) as mine:
        assert mine
        with pytest.raises(ConnectError, match="container"):
            found(config, elsewhere)
    assert found(config, elsewhere) is None


def test_files_of_other_versions_can_be_read(config: Config, here: Whereabouts) -> None:
    newer = {**asdict(here), "colour": "green"}
    config.scheduler_file.write_text(json.dumps(newer))
    assert read_whereabouts(config.scheduler_file) == here
    older = asdict(here)
    del older["process_ticks"]
    config.scheduler_file.write_text(json.dumps(older))
    whereabouts = living(config.scheduler_file, config.lock_file)
    assert whereabouts == replace(here, process_ticks=None)


@pytest.mark.parametrize("step", [-1, 1])
def test_another_protocol_is_one_sentence(here: Whereabouts, step: int) -> None:
    other = replace(here, version="9.9", protocol=discovery.RPC_PROTOCOL + step)
    with pytest.raises(VersionMismatch, match=r"version 9\.9 .*soundforge restart"):
        other.check_version()


def test_a_lock_is_held_by_one(config: Config) -> None:
    assert not is_locked(config.lock_file)
    with only_one(config.lock_file) as first:
        assert first
        assert is_locked(config.lock_file)
        with only_one(config.lock_file) as second:
            assert not second
    assert not is_locked(config.lock_file)


def test_who_finds_the_start_in_other_hands_waits_for_it(config: Config, here: Whereabouts) -> None:
    with only_one(config.start_lock_file):
        with pytest.raises(StartFailed, match="It is being started elsewhere"):
            launch.find_or_start(config)
        write_whereabouts(config.scheduler_file, here)
        assert launch.find_or_start(config) == here
    assert not config.logs_folder.exists(), "it started one of its own"


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StartFailed, match=r"/data can't be written: "):
        make_data_folder(tmp_path / "file" / "data")


def test_a_folder_that_cannot_be_written_is_said(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(30, os.strerror(30))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(StartFailed, match="can't be written: Read-only file system"):
        launch.find_or_start(config)
