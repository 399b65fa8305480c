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

    def reject(self, name: str, error: InputError) -> None:
        self.rejected.append((name, error))


def find_files(named: Iterable[str | os.PathLike[str]]) -> Found:
    """Expand names into absolute paths of files, in a stable order, each once.

    A folder gives the audio files below it; a name with ``*``, ``?`` or ``[`` that is no file itself
    is a glob (``**`` goes down). Hidden files and folders count only where they are named, and links to
    folders are not followed, so that loops can't trap. Nothing else is dropped silently: what leads
    nowhere, or can't be looked into, is in `rejected`.
    """
    found = Found()
    seen: set[str] = set()
    for entry in named:
        name = os.fsdecode(entry)
        try:
            files = list(_expand(name, found))
        except InputError as error:
            found.reject(name, error)
            continue
        except OSError as error:
            found.reject(name, _unreachable(name, error))
            continue
        for file in files:
            if file not in seen:
                seen.add(file)
                found.files.append(file)
    return found


def _expand(name: str, found: Found) -> Iterator[str]:
    if "\0" in name:
        raise InputError(f"{printable(name)} is no path: it holds a NUL.", "Name a file.", kind="not_found")
    if not name.strip():
        raise InputError("An empty name is no path.", 'Name a file or a folder, "." for this one.')
    try:
        path = Path(name).expanduser().absolute()
    except RuntimeError as error:
        # A home folder of nobody.
        raise InputError(f"{printable(name)} is not there.", "Check the path.", kind="not_found") from error
    if path.is_dir():
        yield from _below(path, found)
    elif os.path.lexists(path):
        yield str(path)
    elif glob.has_magic(name):
        yield from _matching(name, path, found)
    else:
        raise InputError(f"{printable(name)} is not there.", "Check the path.", kind="not_found")


def _matching(name: str, pattern: Path, found: Found) -> Iterator[str]:
    base, parts = _split(pattern)
    hits = sorted(str(hit) for hit in base.glob(str(Path(*parts))) if _is_meant(hit, base, parts))
    if not hits:
        raise InputError(f"Nothing matches {printable(name)}.", "Check the pattern.", kind="not_found")
    for hit in hits:
        if Path(hit).is_dir():
            yield from _audio_files(Path(hit), found)
        else:
            yield hit


def _split(pattern: Path) -> tuple[Path, list[str]]:
    """The folder that a pattern begins at, and the rest of it, from the first part with magic on."""
    parts = list(pattern.parts)
    first = next(place for place, part in enumerate(parts) if glob.has_magic(part))
    return Path(*parts[:first]), parts[first:]


def _is_meant(hit: Path, base: Path, parts: list[str]) -> bool:
    if any(part.startswith(".") for part in parts):
        return True
    return not any(part.startswith(".") for part in hit.relative_to(base).parts)


def _below(folder: Path, found: Found) -> Iterator[str]:
    files = list(_audio_files(folder, found))
    if not files:
        raise InputError(
            f"The folder {printable(str(folder))} has no audio files.",
            f"Audio is looked for by suffix, as {', '.join(sorted(AUDIO_SUFFIXES)[:6])} …",
            kind="no_audio",
        )
    yield from files


def _audio_files(folder: Path, found: Found) -> Iterator[str]:
    """Audio files below a folder, sorted; a folder that can't be looked into is rejected by itself."""

    def note(error: OSError) -> None:
        name = os.fsdecode(error.filename or folder)
        found.reject(name, _unreachable(name, error))

    for parent, folders, names in os.walk(folder, onerror=note):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            hidden = name.startswith(".")
            if not hidden and Path(name).suffix.lower() in AUDIO_SUFFIXES:
                yield str(Path(parent, name))


def _unreachable(name: str, error: OSError) -> InputError:
    return InputError(
        f"{printable(name)} can't be looked at: {os.strerror(error.errno or 0)}.",
        "Check the path and its permissions.",
        kind="unreadable",
    )


def printable(text: str) -> str:
    """A name in a sentence: control characters and undecodable bytes are escaped, nothing else.

    >>> printable("Motörhead/Ace\\nof Spades.mp3")
    'Motörhead/Ace\\\\nof Spades.mp3'
    """
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii") for letter in text
    )
