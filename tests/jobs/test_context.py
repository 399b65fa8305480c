"""What a running job may use, where its place can't be written to."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from soundforge_nb.config import Config
from soundforge_nb.errors import DiskError
from soundforge_nb.jobs.kind import Context
from soundforge_nb.ports.supervisor import PortSupervisor


def test_a_staging_folder_is_made_when_asked_for_or_refused_in_a_sentence(tmp_path: Path) -> None:
    ports = PortSupervisor(grace_seconds=1.0)
    config = Config(data_folder=tmp_path)

    def context(place: Path) -> Context:
        return Context(config, ports, lambda percent, message: None, place, 1, threading.Event())

    there = context(tmp_path / "staging" / "lease")
    assert not there.staging_place.exists()
    assert there.staging_folder.is_dir()
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(DiskError, match=r"file can't be written to \(Not a directory\)\. Make room"):
        _ = context(tmp_path / "file" / "lease").staging_folder
    ports.close()
