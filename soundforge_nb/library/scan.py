"""From what a person named (files, folders, globs) to the files meant."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from soundforge_nb.errors import InputError

#: What counts as audio within a folder; a file named by itself may be called anything.
AUDIO_SUFFIXES = frozenset(
    f".{name}"
    for name in (
        *("aac", "aif", "aifc", "aiff", "alac", "ape", "au", "caf", "flac", "m4a", "m4b", "mka", "mp2"),
        *("mp3", "mp4", "oga", "ogg", "opus", "snd", "spx", "w64", "wav", "wave", "webm", "wma", "wv"),
    )
)


@dataclass
class Found:
    """Files to be added, and what was named in vain with its reason."""

    files: list[str] = field(default_factory=list)
    rejected: list[tuple[str, InputError]] = field(default_factory=list)


def find_files(named: Iterable[str | os.PathLike[str]]) -> Found:
    """Expand names into absolute paths of files, in a stable order, each once.

    A folder gives the audio files below it; a name with ``*``, ``?`` or ``[`` that is no file itself
    is a glob (``**`` goes down). Nothing is dropped silently: what leads nowhere is in `rejected`.
    """
    found = Found()
    seen: set[str] = set()
    for name in named:
        try:
            files = list(_expand(os.fspath(name)))
        except InputError as error:
            found.rejected.append((os.fspath(name), error))
            continue
        for file in files:
            if file not in seen:
                seen.add(file)
                found.files.append(file)
    return found


def _expand(name: str) -> Iterator[str]:
    if name.startswith(("http://", "https://", "spotify:")):
        raise InputError(
            f"{printable(name)} is a link; this version adds files and folders.",
            "Save the audio as a file and add that.",
            kind="link",
        )
    if "\0" in name:
        raise InputError(f"{printable(name)} is no path: it holds a NUL.", "Name a file.", kind="not_found")
    path = Path(name).expanduser().absolute()
    if path.is_dir():
        yield from _below(path)
    elif os.path.lexists(path):
        yield str(path)
    elif glob.has_magic(name):
        yield from _matching(name, str(path))
    else:
        raise InputError(f"{printable(name)} is not there.", "Check the path.", kind="not_found")


def _matching(name: str, pattern: str) -> Iterator[str]:
    hits = sorted(glob.glob(pattern, recursive=True))
    if not hits:
        raise InputError(f"Nothing matches {printable(name)}.", "Check the pattern.", kind="not_found")
    for hit in hits:
        if Path(hit).is_dir():
            yield from _audio_files(Path(hit))
        else:
            yield hit


def _below(folder: Path) -> Iterator[str]:
    files = list(_audio_files(folder))
    if not files:
        raise InputError(
            f"The folder {printable(str(folder))} has no audio files.",
            f"Audio is looked for by suffix, as {', '.join(sorted(AUDIO_SUFFIXES)[:6])} …",
            kind="no_audio",
        )
    yield from files


def _audio_files(folder: Path) -> Iterator[str]:
    """Audio files below a folder, sorted; links to folders are not followed, so loops can't trap."""
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            hidden = name.startswith(".")
            if not hidden and Path(name).suffix.lower() in AUDIO_SUFFIXES:
                yield str(Path(parent, name))


def printable(text: str) -> str:
    """A name in a sentence: control characters and undecodable bytes are escaped, nothing else.

    >>> printable("Motörhead/Ace\\nof Spades.mp3")
    'Motörhead/Ace\\\\nof Spades.mp3'
    """
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii") for letter in text
    )
