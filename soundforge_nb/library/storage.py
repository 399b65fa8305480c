"""What lies in the data folder, kind by kind, and which files of it nobody needs any more.

Only stems, downloads and staging hold files that can become orphans: everything else is counted and left
alone. Nothing is followed out of the data folder: a link is neither entered nor removed.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

#: A row names a file by its whole path, and a data folder may have been moved: so many last parts tell it.
_PARTS = 3
#: What each place in the data folder is, as a person reads it.
PLACES = {
    "stems": "stems",
    "downloads": "downloaded songs",
    "staging": "work under way",
    "partial": "unfinished downloads",
    "cache": "caches (weights, compiled code)",
    "logs": "logs",
}
_LIBRARY, _OTHER = "library", "other"
#: Places whose files rows of the library name, or leases.
_OWNED = ("stems", "downloads")


@dataclass(frozen=True)
class Found:
    """A file as it was seen."""

    path: str
    size_bytes: int
    changed: float
    inode: int


@dataclass(frozen=True)
class Orphan(Found):
    """A file that nobody needs, with the proof."""

    reason: str


@dataclass
class Kind:
    """How much of one kind there is."""

    name: str
    files: int = 0
    size_bytes: int = 0


@dataclass
class Survey:
    """What a look at the data folder found."""

    kinds: dict[str, Kind] = field(default_factory=dict)
    orphans: list[Orphan] = field(default_factory=list)
    #: Files of stems and downloads that rows name.
    owned: int = 0
    #: Those without a row that are too young to be judged.
    young: int = 0

    def as_json(self) -> dict[str, Any]:
        return {
            "kinds": [asdict(kind) for kind in self.kinds.values()],
            "orphans": [asdict(orphan) for orphan in self.orphans],
            "owned": self.owned,
            "young": self.young,
        }


def names_of(paths: Iterable[str]) -> set[tuple[str, ...]]:
    """What files are known by: the last parts of their paths.

    >>> sorted(names_of(["/data/stems/track/key/bass.wav"]))
    [('key', 'bass.wav'), ('track', 'key', 'bass.wav')]
    """
    names: set[tuple[str, ...]] = set()
    for path in paths:
        parts = Path(path).parts
        names.update(tuple(parts[-count:]) for count in range(2, _PARTS + 1) if len(parts) >= count)
    return names


def survey(
    data_folder: Path,
    cache_folder: Path,
    owned: Collection[tuple[str, ...]],
    leases: Collection[str],
    *,
    now: float,
    grace_seconds: float,
) -> Survey:
    """Look at every file of the data folder.

    Parameters
    ----------
    owned : collection of tuple of str
        What the library's rows name: see `names_of`.
    leases : collection of str
        The folders in staging that somebody works in.
    now : float
        Seconds since 1970.
    grace_seconds : float
        A file that was changed or moved more lately than this is no orphan.
    """
    found = Survey()
    places = {name: data_folder / name for name in PLACES} | {"cache": cache_folder}
    for name, title in PLACES.items():
        kind = found.kinds.setdefault(name, Kind(title))
        for parts, file in _files(places[name]):
            kind.files += 1
            kind.size_bytes += file.size_bytes
            reason = _reason(name, parts, owned, leases)
            if name in _OWNED and reason is None:
                found.owned += 1
            if reason is None:
                continue
            age = now - file.changed
            if age < grace_seconds:
                found.young += 1
                continue
            proof = f"{reason} It was last changed or moved {_age(age)} ago."
            found.orphans.append(Orphan(**asdict(file), reason=proof))
    _count_the_rest(found, data_folder)
    return found


def remove(orphans: Iterable[Orphan], data_folder: Path, owned: Collection[tuple[str, ...]]) -> list[Orphan]:
    """Remove orphans that are still what they were; returns those that are gone.

    `owned` is read anew by whoever calls: what got a row since the survey stays. So does what was touched,
    what was replaced, and what a link leads to outside the data folder.
    """
    root = data_folder.resolve()
    gone: list[Orphan] = []
    for folder, group in groupby(orphans, key=lambda orphan: orphan.path.rpartition("/")[0]):
        parts = Path(folder).relative_to(data_folder).parts[1:]
        named = (one for one in group if not _is_owned((*parts, one.path.rpartition("/")[2]), owned))
        removed = _remove_from(Path(folder), named, root)
        gone += removed
        if removed:
            _drop_empty(Path(folder), root)
    return gone


def _remove_from(folder: Path, orphans: Iterable[Orphan], root: Path) -> list[Orphan]:
    """Remove those of one folder, by a handle of it: whatever its path leads to meanwhile, it is that one."""
    try:
        # A folder on the way may have become a link since.
        if root not in folder.resolve().parents:
            return []
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return []
    gone = []
    try:
        for orphan in orphans:
            name = orphan.path.rpartition("/")[2]
            try:
                status = os.stat(name, dir_fd=handle, follow_symlinks=False)
                is_it = stat.S_ISREG(status.st_mode) and status.st_ino == orphan.inode
                if is_it and max(status.st_mtime, status.st_ctime) == orphan.changed:
                    os.unlink(name, dir_fd=handle)
                    gone.append(orphan)
            except OSError:
                # Gone already, or not ours to remove: the next look tells.
                continue
    finally:
        os.close(handle)
    return gone


def _reason(
    place: str, parts: tuple[str, ...], owned: Collection[tuple[str, ...]], leases: Collection[str]
) -> str | None:
    """Why a file is needed by nobody; None where it is, or where its place is not judged."""
    if place in _OWNED:
        return None if _is_owned(parts, owned) else "No row of the library names it."
    if place == "staging" and parts[0] not in leases:
        return "The attempt that made it is over, and what it made was not recorded."
    return None


def _is_owned(parts: tuple[str, ...], owned: Collection[tuple[str, ...]]) -> bool:
    """Whether a row names a file, by the parts of its path below its place."""
    return parts[-_PARTS:] in owned


def _files(root: Path) -> Iterator[tuple[tuple[str, ...], Found]]:
    """Every plain file below a folder, by the parts of its path there. Links are passed over."""
    waiting: list[tuple[str, tuple[str, ...]]] = [(str(root), ())]
    if root.is_symlink():
        return
    while waiting:
        folder, above = waiting.pop()
        try:
            entries = list(os.scandir(folder))
        except OSError:
            continue
        for entry in entries:
            try:
                if entry.is_symlink():
                    continue
                if entry.is_dir(follow_symlinks=False):
                    waiting.append((entry.path, (*above, entry.name)))
                    continue
                status = entry.stat(follow_symlinks=False)
            except OSError:
                # It went away while we looked.
                continue
            if stat.S_ISREG(status.st_mode):
                # A move into place leaves the time of writing, and sets that of the change.
                changed = max(status.st_mtime, status.st_ctime)
                yield (*above, entry.name), Found(entry.path, status.st_size, changed, status.st_ino)


def _count_the_rest(found: Survey, data_folder: Path) -> None:
    library, other = Kind("library, with its copies"), Kind("keys, settings and the rest")
    try:
        entries = list(os.scandir(data_folder))
    except OSError:
        entries = []
    for entry in entries:
        if entry.is_symlink() or entry.name in PLACES:
            continue
        if entry.is_dir(follow_symlinks=False):
            files = [file for _, file in _files(Path(entry.path))]
            other.files += len(files)
            other.size_bytes += sum(file.size_bytes for file in files)
            continue
        kind = library if ".duckdb" in entry.name else other
        kind.files += 1
        kind.size_bytes += entry.stat(follow_symlinks=False).st_size
    found.kinds[_LIBRARY], found.kinds[_OTHER] = library, other


def _drop_empty(folder: Path, root: Path) -> None:
    """Folders that became empty, up to the place they are in."""
    while root in folder.parents and folder.parent != root:
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent


def _age(seconds: float) -> str:
    """An age as people say it.

    >>> _age(3 * 86_400), _age(7200)
    ('3 days', '2 hours')
    """
    days = int(seconds // 86_400)
    if days:
        return f"{days} day{'' if days == 1 else 's'}"
    hours = int(seconds // 3600)
    return f"{hours} hour{'' if hours == 1 else 's'}" if hours else f"{int(seconds // 60)} minutes"
