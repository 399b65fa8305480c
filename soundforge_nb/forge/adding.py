"""What a person names, files and links in any order, brought into the library."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterable
from typing import Any

from soundforge_nb.errors import UsageError, from_json
from soundforge_nb.forge.tracks import Rejected, Track, TrackList
from soundforge_nb.library.scan import find_files
from soundforge_nb.pipeline.links import is_link

Named = str | os.PathLike[str]
#: Files sent to the application in one call: each is hashed there.
_FILES_A_CALL = 64
_LINKS_A_CALL = 1000
#: How long Spotify's lists are waited for; what takes longer is said, and goes on.
_READING_SECONDS = 300.0


class Adding:
    """One call of `Forge.add`: what has become of each name so far.

    Parameters
    ----------
    call : callable
        One call of the application.
    wait : callable
        Waits for jobs, see `Forge.wait`.
    """

    def __init__(self, call: Callable[..., Any], wait: Callable[..., bool]) -> None:
        self._call = call
        self._wait = wait
        self._tracks: list[Track] = []
        self._names: list[str] = []
        self._rejected: list[Rejected] = []
        self._notes: list[str] = []

    def add(self, named: Iterable[Any]) -> TrackList:
        """Add everything, in the order it was named."""
        for linked, group in itertools.groupby(flat(named), key=_is_link):
            names = list(group)
            if linked:
                self._add_links(list(map(str, names)))
            else:
                self._add_files(names)
        return TrackList(self._tracks, self._names, self._rejected, self._notes)

    def _add_files(self, named: list[Named]) -> None:
        found = find_files(named)
        self._rejected += [Rejected(name, str(error), error.as_json()) for name, error in found.rejected]
        for start in range(0, len(found.files), _FILES_A_CALL):
            paths = found.files[start : start + _FILES_A_CALL]
            answer = self._call("add_files", paths=paths, timeout_seconds=600)
            self._take(answer, answer["paths"])

    def _add_links(self, links: list[str]) -> None:
        links = list(dict.fromkeys(links))
        for start in range(0, len(links), _LINKS_A_CALL):
            group = links[start : start + _LINKS_A_CALL]
            answer = self._call("add_links", links=group, timeout_seconds=600)
            if answer["waiting"]:
                # The jobs outlast this kernel: who adds the same again later finds what they read.
                jobs = {entry["link"]: entry["job_id"] for entry in answer["waiting"]}
                self._wait(jobs.values(), _READING_SECONDS)
                answer = self._call("add_links", links=group, jobs=jobs, timeout_seconds=600)
            self._take(answer, answer["names"])

    def _take(self, answer: dict[str, Any], names: list[str]) -> None:
        self._tracks += map(Track.from_row, answer["tracks"])
        self._names += names
        self._notes += answer.get("notes", ())
        self._rejected += [
            Rejected(entry["name"], str(from_json(entry["error"])), entry["error"])
            for entry in answer["rejected"]
        ]


def flat(named: Iterable[Any]) -> list[Named]:
    """Names out of any nest of iterables.

    Raises
    ------
    UsageError
        One is neither a name nor an iterable.
    """
    found: list[Named] = []
    for entry in named:
        if isinstance(entry, (str, os.PathLike)):
            found.append(entry)
        elif isinstance(entry, Iterable):
            found += flat(entry)
        else:
            raise UsageError(f"{entry!r} is no path.", "Give files, folders, globs or links.")
    return found


def _is_link(name: Named) -> bool:
    return isinstance(name, str) and is_link(name)
