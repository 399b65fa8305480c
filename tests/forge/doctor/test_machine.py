"""Memory and room."""

from __future__ import annotations

import shutil
from types import SimpleNamespace

import psutil
import pytest

from soundforge_nb.config import Config
from soundforge_nb.forge.doctor.finding import Level
from soundforge_nb.forge.doctor.machine import look_at_machine, memory_limit_bytes


def test_a_container_has_what_it_was_given(tmp_path):
    total = psutil.virtual_memory().total
    assert memory_limit_bytes(tmp_path) == total

    (tmp_path / "memory.max").write_text("max\n")
    assert memory_limit_bytes(tmp_path) == total

    (tmp_path / "memory.max").write_text("1000000000\n")
    assert memory_limit_bytes(tmp_path) == 1_000_000_000


@pytest.mark.parametrize(
    ("free", "level"), [(10**8, Level.PROBLEM), (10**9, Level.WARNING), (10**11, Level.OK)]
)
def test_room(tmp_path, monkeypatch, free, level):
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=free))

    (space,) = [f for f in look_at_machine(Config(tmp_path / "not" / "there")) if f.check == "space"]

    assert space.level is level
    assert space.details == {"free_bytes": free}
