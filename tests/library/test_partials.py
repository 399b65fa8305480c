"""What is left of downloads is swept where nobody will go on with it, and never under somebody's hands."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from soundforge_nb.library.partials import sweep_partials

NOW = 1_000_000.0


def left(folder: Path, name: str, age_seconds: float, note: bool = True) -> Path:
    part = folder / f"{name}.part"
    part.write_bytes(b"some")
    (folder / f"{name}.json").write_text("{}")
    for file in (part, folder / f"{name}.json"):
        os.utime(file, (NOW - age_seconds,) * 2)
    return part


def test_what_nobody_needs_goes_and_the_rest_stays(tmp_path: Path) -> None:
    for name, age in (("old", 200), ("needed", 200), ("young", 50), ("noted", 200), ("held", 200)):
        left(tmp_path, name, age)
    # Its note was written a moment ago: it was begun anew.
    os.utime(tmp_path / "noted.json", (NOW, NOW))
    (tmp_path / "alone.json").write_text("{}")
    os.utime(tmp_path / "alone.json", (0, 0))
    (tmp_path / "mine.txt").write_text("not ours")
    os.utime(tmp_path / "mine.txt", (0, 0))
    with (tmp_path / "held.part").open("r+b") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert sweep_partials(tmp_path, {"needed"}, NOW - 100) == ["alone", "old"]
    assert {file.stem for file in tmp_path.iterdir()} == {"needed", "young", "noted", "held", "mine"}
    assert sweep_partials(tmp_path, {"needed"}, NOW - 100) == ["held"]


def test_no_link_leads_out_of_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "partial"
    folder.mkdir()
    precious = tmp_path / "precious"
    precious.write_text("kept")
    os.utime(precious, (0, 0))
    (folder / "x.part").symlink_to(precious)
    os.utime(folder / "x.part", (0, 0), follow_symlinks=False)
    assert sweep_partials(folder, set(), NOW) == []
    assert precious.read_text() == "kept"


def test_a_folder_that_is_not_there_has_nothing_to_sweep(tmp_path: Path) -> None:
    assert sweep_partials(tmp_path / "no", set(), NOW) == []
