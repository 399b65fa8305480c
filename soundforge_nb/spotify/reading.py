"""Reading a track, an album or a playlist: page after page into a file, gone on with after a kill."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from soundforge_nb.errors import SpotifyError
from soundforge_nb.spotify.metadata import entries_of, refusal_of, track_of
from soundforge_nb.spotify.urls import ALBUM, PLAYLIST, TRACK, SpotifyLink

#: A playlist that changes each time while it is read is taken as it came, at last.
_READINGS = 3
#: No list is longer; an answer that always names a next page must end.
MOST_ENTRIES = 20_000

Report = Callable[[int, str], None]


class Catalogue(Protocol):
    """What is asked; `soundforge_nb.spotify.web.Client` is one."""

    def track(self, spotify_id: str) -> dict[str, Any]: ...
    def album(self, spotify_id: str) -> dict[str, Any]: ...
    def album_page(self, spotify_id: str, offset: int) -> dict[str, Any]: ...
    def playlist(self, spotify_id: str) -> dict[str, Any]: ...
    def playlist_page(self, spotify_id: str, offset: int) -> dict[str, Any]: ...


class Pages:
    """The file that pages are added to: a line for what is read, then a line a page."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.head: dict[str, Any] = {}
        self.entries = 0
        self.ended = False
        self._take_up()

    def begin(self, head: Mapping[str, Any]) -> None:
        """Begin anew, unless what is here is of the same thing in the same state."""
        if self.head == dict(head):
            return
        self._file.seek(0)
        self._file.truncate()
        self.head, self.entries, self.ended = dict(head), 0, False
        self._add(self.head)

    def add(self, entries: list[dict[str, Any]], ended: bool) -> None:
        """Add a page; in the file before anything else is asked."""
        self._add({"entries": entries, "ended": ended})
        self.entries += len(entries)
        self.ended = ended

    def _add(self, line: Any) -> None:
        self._file.write(json.dumps(line).encode() + b"\n")
        self._file.flush()

    def _take_up(self) -> None:
        """Go on after the last line that is whole."""
        self._file.seek(0)
        good = 0
        for number, line in enumerate(self._file):
            try:
                found = json.loads(line) if line.endswith(b"\n") else None
            except ValueError:
                found = None
            if not isinstance(found, dict) or (number and "entries" not in found):
                break
            good += len(line)
            if number:
                self.entries += len(found["entries"])
                self.ended = bool(found["ended"])
            else:
                self.head = found
        self._file.seek(good)
        self._file.truncate()


@contextmanager
def open_pages(path: Path) -> Iterator[Pages]:
    """Open, or begin, a file of pages; one process at a time.

    Raises
    ------
    SpotifyError
        Another process, of an attempt that was given up, still adds to it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SpotifyError(
                "The same is being read by another job.",
                "It goes on by itself.",
                kind="busy",
                details={"retry": True},
            ) from error
        yield Pages(file)


def read_all(link: SpotifyLink, catalogue: Catalogue, pages: Pages, report: Report) -> None:
    """Read what a link names into `pages`, from where they end.

    Raises
    ------
    SpotifyError
    """
    if link.kind == TRACK:
        pages.begin({"link": link.uri, "title": None, "state": None})
        if not pages.ended:
            pages.add(_entries([catalogue.track(link.spotify_id)], only=link.spotify_id), ended=True)
    elif link.kind == ALBUM:
        album = catalogue.album(link.spotify_id)
        title = _title(album)
        pages.begin({"link": link.uri, "title": title, "state": None})
        first = album.get("tracks") if not pages.entries else None
        _read_pages(
            pages, lambda offset: catalogue.album_page(link.spotify_id, offset), _plain, report, first, title
        )
    elif link.kind == PLAYLIST:
        _read_playlist(link, catalogue, pages, report)
    else:
        raise SpotifyError(
            f"{link.url} is an artist, who has albums rather than tracks.",
            "Add the albums.",
            kind="artist",
        )


def _read_playlist(link: SpotifyLink, catalogue: Catalogue, pages: Pages, report: Report) -> None:
    """A playlist that changed meanwhile would give entries twice, or leave some out: it is read again."""
    for _ in range(_READINGS):
        head = _head(link, catalogue)
        pages.begin(head)
        _read_pages(
            pages, lambda offset: catalogue.playlist_page(link.spotify_id, offset), entries_of, report
        )
        if _head(link, catalogue) == head:
            return


def _head(link: SpotifyLink, catalogue: Catalogue) -> dict[str, Any]:
    playlist = catalogue.playlist(link.spotify_id)
    return {"link": link.uri, "title": _title(playlist), "state": playlist.get("snapshot_id")}


def _read_pages(
    pages: Pages,
    ask: Callable[[int], dict[str, Any]],
    entries_in: Callable[[Any], Any],
    report: Report,
    first: Any = None,
    album: str | None = None,
) -> None:
    while not pages.ended:
        page = first if isinstance(first, Mapping) else ask(pages.entries)
        first = None
        items = page.get("items")
        if not isinstance(items, list):
            raise SpotifyError(
                "Spotify's answer lacks its list.",
                "It is tried again.",
                kind="broken",
                details={"retry": True},
            )
        more = bool(page.get("next")) and bool(items) and pages.entries + len(items) < MOST_ENTRIES
        pages.add(_entries(entries_in(items), album), ended=not more)
        total = page.get("total")
        known = total if isinstance(total, int) and total > 0 else pages.entries
        report(min(99, pages.entries * 100 // max(1, known)), f"{pages.entries} of {known} tracks")


def _plain(items: Any) -> Any:
    return items


def _title(answer: Mapping[str, Any]) -> str | None:
    name = answer.get("name")
    return name.replace("\0", "").strip()[:500] if isinstance(name, str) and name.strip() else None


def _entries(items: Any, album: str | None = None, only: str | None = None) -> list[dict[str, Any]]:
    entries = []
    for item in items:
        found = track_of(item, album)
        if found is None:
            entries.append({"refusal": refusal_of(item)})
        else:
            # A track that was asked for by an id goes by that id, whichever copy the market has.
            entries.append(found | ({"spotify_id": only} if only else {}))
    return entries
