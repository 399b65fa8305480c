"""A batch's output folder: stems, analyses and a manifest, for people and programs without a database."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from soundforge_nb.errors import InputError
from soundforge_nb.library.names import safe_name


@dataclass
class TrackOutput:
    """What is written for one track."""

    track_id: str
    title: str
    stems: list[dict[str, Any]] = field(default_factory=list)
    analysis: dict[str, Any] | None = None


def export_batch(
    folder: Path, tracks: Sequence[TrackOutput], manifest: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Write ``<folder>/<track>/<stem>.<ext>``, ``<folder>/<track>/analysis.json`` and ``manifest.json``.

    Files that are there with the same content stay; each file appears whole or not at all.

    Parameters
    ----------
    folder : Path
    tracks : sequence of TrackOutput
        Stems with `stem`, `path`, `sha256`.
    manifest : mapping
        Written with `outputs` added: each file's path within the folder, and its SHA-256.

    Returns
    -------
    list of dict
        The outputs, as in the manifest.

    Raises
    ------
    InputError
        The folder can't be written.
    """
    outputs: list[dict[str, Any]] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, track in _named(tracks):
            for stem in track.stems:
                source = Path(stem["path"])
                target = folder / name / f"{safe_name(stem['stem'])}{source.suffix}"
                _copy(source, target, stem["sha256"])
                outputs.append(_output(folder, target, stem["sha256"], track.track_id, stem["stem"]))
            if track.analysis is not None:
                target = folder / name / "analysis.json"
                sha256 = _write(target, json.dumps(track.analysis, indent=2, ensure_ascii=False))
                outputs.append(_output(folder, target, sha256, track.track_id, "analysis"))
        content = {**manifest, "outputs": outputs}
        _write(folder / "manifest.json", json.dumps(content, indent=2, ensure_ascii=False))
    except OSError as error:
        raise InputError(
            f"The output folder {folder} can't be written: {os.strerror(error.errno or 0)}.",
            "Name a folder that can be written; stems and analyses are safe in the library.",
            kind="output_folder",
        ) from error
    return outputs


def _named(tracks: Sequence[TrackOutput]) -> list[tuple[str, TrackOutput]]:
    """Each track with a folder name of its own; those of the same title get their id's end added."""
    titles = [safe_name(track.title).casefold() for track in tracks]
    named = []
    for track, title in zip(tracks, titles, strict=True):
        name = safe_name(track.title)
        if titles.count(title) > 1:
            name = f"{name} {track.track_id[-8:]}"
        named.append((name, track))
    return named


def _copy(source: Path, target: Path, sha256: str) -> None:
    if target.exists() and target.stat().st_size == source.stat().st_size and _sha256(target) == sha256:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.part")
    shutil.copyfile(source, part)
    part.replace(target)


def _write(target: Path, text: str) -> str:
    target.parent.mkdir(parents=True, exist_ok=True)
    content = text.encode("utf-8")
    part = target.with_name(f".{target.name}.part")
    part.write_bytes(content)
    part.replace(target)
    return hashlib.sha256(content).hexdigest()


def _output(folder: Path, target: Path, sha256: str, track_id: str, what: str) -> dict[str, Any]:
    return {
        "path": target.relative_to(folder).as_posix(),
        "sha256": sha256,
        "track_id": track_id,
        "what": what,
    }


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
