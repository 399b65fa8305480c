"""The output folder: whole files, names apart, and sums that are right."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from soundforge_nb.errors import InputError
from soundforge_nb.library import export
from soundforge_nb.library.export import TrackOutput, export_batch


def stem(folder: Path, name: str, content: bytes = b"sound") -> dict[str, Any]:
    path = folder / "library" / f"{name}.wav"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return {"stem": name, "path": str(path), "sha256": hashlib.sha256(content).hexdigest()}


def tree(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_stems_analysis_and_a_manifest_with_sums(tmp_path: Path) -> None:
    out = tmp_path / "out" / "deep"
    track = TrackOutput(
        "id-1", "Lied/1", [stem(tmp_path, "vocals"), stem(tmp_path, "drums")], {"tempo": 120.0}
    )
    outputs = export_batch(out, [track], {"batch_id": "b"})
    assert tree(out) == ["Lied 1/analysis.json", "Lied 1/drums.wav", "Lied 1/vocals.wav", "manifest.json"]
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest == {"batch_id": "b", "outputs": outputs}
    for entry in outputs:
        assert hashlib.sha256((out / entry["path"]).read_bytes()).hexdigest() == entry["sha256"]
    assert [entry["what"] for entry in outputs] == ["vocals", "drums", "analysis"]


def test_tracks_of_the_same_title_stay_apart(tmp_path: Path) -> None:
    tracks = [
        TrackOutput("0000-aaaaaaaa", "Lied", analysis={}),
        TrackOutput("0000-bbbbbbbb", "LIED", analysis={}),
        TrackOutput("0000-cccccccc", "Manifest.json", analysis={}),
        TrackOutput("0000-dddddddd", "..", analysis={}),
    ]
    export_batch(tmp_path / "out", tracks, {})
    assert tree(tmp_path / "out") == sorted(
        [
            "LIED bbbbbbbb/analysis.json",
            "Lied aaaaaaaa/analysis.json",
            "Manifest.json cccccccc/analysis.json",
            "manifest.json",
            "untitled/analysis.json",
        ]
    )


def test_what_is_there_with_the_same_content_stays(tmp_path: Path) -> None:
    out = tmp_path / "out"
    one, two = stem(tmp_path, "vocals"), stem(tmp_path, "drums")
    track = TrackOutput("id", "Lied", [one, two], {"tempo": 1})
    export_batch(out, [track], {})
    before = {name: (out / name).stat() for name in tree(out)}
    stranger = out / "Lied" / "mine.txt"
    stranger.write_text("mine")
    track.stems[1] = stem(tmp_path, "drums", b"other")
    export_batch(out, [track], {})
    after = {name: (out / name).stat() for name in before}
    changed = {name for name in before if before[name].st_ino != after[name].st_ino}
    assert changed == {"Lied/drums.wav", "manifest.json"}
    assert (out / "Lied" / "drums.wav").read_bytes() == b"other"
    assert stranger.read_text() == "mine"


def test_a_changed_copy_is_made_right(tmp_path: Path) -> None:
    out = tmp_path / "out"
    track = TrackOutput("id", "Lied", [stem(tmp_path, "vocals", b"sound")])
    export_batch(out, [track], {})
    (out / "Lied" / "vocals.wav").write_bytes(b"sOund")
    export_batch(out, [track], {})
    assert (out / "Lied" / "vocals.wav").read_bytes() == b"sound"


def test_a_broken_copy_leaves_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"

    def fill_up(source: Path, target: Path) -> None:
        Path(target).write_bytes(b"so")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(export.shutil, "copyfile", fill_up)
    with pytest.raises(InputError) as caught:
        export_batch(out, [TrackOutput("id", "Lied", [stem(tmp_path, "vocals")])], {})
    assert str(caught.value) == (
        f"The output folder {out} can't be written: {os.strerror(28)}. "
        "Name a folder that can be written; stems and analyses are safe in the library."
    )
    assert tree(out) == []


def test_a_lost_stem_is_named(tmp_path: Path) -> None:
    lost = stem(tmp_path, "vocals")
    Path(lost["path"]).unlink()
    with pytest.raises(InputError, match="no longer in the library's folder") as caught:
        export_batch(tmp_path / "out", [TrackOutput("id", "Lied", [lost])], {})
    assert caught.value.kind == "stem_lost"


def test_a_folder_that_is_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(InputError, match="can't be written"):
        export_batch(tmp_path / "out", [], {})


def test_names_that_are_no_text_do_not_stop_the_manifest(tmp_path: Path) -> None:
    export_batch(tmp_path / "out", [], {"inputs": ["\udcff"]})
    content = json.loads((tmp_path / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert content == {"inputs": ["\udcff"], "outputs": []}
