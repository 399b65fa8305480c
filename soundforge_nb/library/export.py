"""A batch's output folder: stems, analyses and a manifest, for people and programs without a database."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from soundforge_nb.errors import InputError
from soundforge_nb.library.names import safe_name

MANIFEST = "manifest.json"


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
        _write(folder / MANIFEST, json.dumps(content, indent=2, ensure_ascii=False))
    except OSError as error:
        raise InputError(
            f"The output folder {folder} can't be written: {os.strerror(error.errno or 0)}.",
            "Name a folder that can be written; stems and analyses are safe in the library.",
            kind="output_folder",
        ) from error
    return outputs


def _named(tracks: Sequence[TrackOutput]) -> list[tuple[str, TrackOutput]]:
    """Each track with a folder name of its own; those of the same title get their id's end added."""
    # File systems that do not tell cases apart must not mix two tracks; the manifest's name is taken.
    titles = Counter([safe_name(track.title).casefold() for track in tracks] + [MANIFEST])
    named = []
    for track in tracks:
        name = safe_name(track.title)
        if titles[name.casefold()] > 1:
            name = f"{name} {track.track_id[-8:]}"
        named.append((name, track))
    return named


def _copy(source: Path, target: Path, sha256: str) -> None:
    if (
        source.is_file()
        and target.is_file()
        and target.stat().st_size == source.stat().st_size
        and _sha256(target) == sha256
    ):
        return
    if not source.is_file():
        raise InputError(
            f"The stem {source} is no longer in the library's folder.",
            "Process its track again.",
            kind="stem_lost",
        )
    with _whole(target) as part:
        shutil.copyfile(source, part)


def _write(target: Path, text: str) -> str:
    content = text.encode("utf-8", "backslashreplace")
    sha256 = hashlib.sha256(content).hexdigest()
    if not target.is_file() or _sha256(target) != sha256:
        with _whole(target) as part:
            part.write_bytes(content)
    return sha256


@contextmanager
def _whole(target: Path) -> Iterator[Path]:
    """A place beside `target` to write to, renamed into it at the end; two who write at once do not mix."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{uuid.uuid4().hex[:12]}.part")
    try:
        yield part
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


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
