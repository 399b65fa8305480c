"""Reading an artist: the tracks of their albums and singles, each recording once.

Albums list their tracks without ISRC, and since 2026 Spotify tells of one track at a time only. So those
alone are asked about that look like one before them: the same title and artists, and nearly the same length.
One ISRC is one recording; the later of two is then an entry with the id of the earlier.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from soundforge_nb.errors import SpotifyError
from soundforge_nb.spotify.catalogue import MOST_ENTRIES, Catalogue, Report, entries_from, items_of
from soundforge_nb.spotify.metadata import text_of
from soundforge_nb.spotify.pages import Pages
from soundforge_nb.spotify.urls import SpotifyLink, is_id

#: Between two presses of one recording the silence at its end differs.
_SECONDS_APART = 2.0


def read_artist(link: SpotifyLink, catalogue: Catalogue, pages: Pages, report: Report) -> None:
    """Read an artist into `pages`, from where they end: first which albums there are, then each in turn.

    Raises
    ------
    SpotifyError
    """
    pages.begin({"link": link.uri, "title": None, "state": None})
    if pages.ended:
        return
    reading = _Reading(pages, catalogue)
    while not reading.listed:
        reading.list_albums(catalogue.artist_page(link.spotify_id, reading.offset))
        report(0, f"{len(reading.albums)} albums")
    while not pages.ended:
        reading.read_page()
        total = len(reading.albums)
        report(min(99, reading.read * 100 // max(1, total)), f"{reading.read} of {total} albums")


class _Reading:
    """How far the reading is; all of it stands in the pages."""

    def __init__(self, pages: Pages, catalogue: Catalogue) -> None:
        self._pages = pages
        self._catalogue = catalogue
        #: Ids and titles of the albums so far, whether those are all, and how many entries said so.
        self.albums: dict[str, str] = {}
        self.listed = False
        self.offset = 0
        #: How many of them are read to their end, and how many tracks of the next one.
        self.read = 0
        self._tracks_read = 0
        self._isrcs: dict[str, str | None] = {}
        self._known: defaultdict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
        for line in pages.lines():
            self._take(line)

    def list_albums(self, page: Mapping[str, Any]) -> None:
        """Write down which albums a page names.

        Its own word on whether more follow has been wrong where albums were chosen by their group: where
        nothing new comes, it is the last.
        """
        items = items_of(page)
        albums = [
            [item["id"], text_of(item.get("name"))]
            for item in items
            if isinstance(item, Mapping) and is_id(item.get("id")) and item["id"] not in self.albums
        ]
        listed = not albums or not page.get("next") or len(self.albums) >= MOST_ENTRIES
        nothing = listed and not (albums or self.albums)
        self._add([], nothing, {"albums": albums, "listed": listed, "items": len(items)})

    def read_page(self) -> None:
        """Read the next page of the next album."""
        album_id, title = list(self.albums.items())[self.read]
        try:
            page = self._catalogue.album_page(album_id, self._tracks_read)
            items = items_of(page)
            entries = [self._once(entry) for entry in entries_from(items, title or None)]
        except SpotifyError as error:
            if error.kind != "not_found":
                raise
            page, items = {}, []
            entries = [{"refusal": "is an album that is not available any more"}]
        done = not page.get("next") or not items
        last = done and self.read + 1 == len(self.albums)
        ended = last or self._pages.entries + len(entries) >= MOST_ENTRIES
        self._add(entries, ended, {"tracks": len(items), "done": done})

    def _add(self, entries: list[dict[str, Any]], ended: bool, place: dict[str, Any]) -> None:
        self._pages.add(entries, ended, **place)
        self._take({"entries": entries, **place})

    def _take(self, line: Mapping[str, Any]) -> None:
        """Know what a line says."""
        self.albums |= dict(line.get("albums", ()))
        self.listed = self.listed or bool(line.get("listed"))
        self.offset += line.get("items", 0)
        self._tracks_read = 0 if line.get("done") else self._tracks_read + line.get("tracks", 0)
        self.read += bool(line.get("done"))
        for entry in line["entries"]:
            if "spotify_id" in entry:
                self._remember(entry)

    def _remember(self, entry: dict[str, Any]) -> None:
        alike = self._known[_names(entry)]
        for place, other in enumerate(alike):
            if other["spotify_id"] == entry["spotify_id"]:
                # By now its ISRC may be known.
                alike[place] = entry
                return
        alike.append(entry)

    def _once(self, entry: dict[str, Any]) -> dict[str, Any]:
        """An entry, or the entry of before that is the same recording."""
        if "spotify_id" not in entry:
            return entry
        alike = [
            other
            for other in self._known[_names(entry)]
            if other["spotify_id"] != entry["spotify_id"] and _lengths_agree(other, entry)
        ]
        if alike:
            entry = self._in_full(entry)
        for other in alike:
            other = self._in_full(other)
            self._remember(other)
            if entry["isrc"] and entry["isrc"] == other["isrc"]:
                return other
        self._remember(entry)
        return entry

    def _in_full(self, entry: dict[str, Any]) -> dict[str, Any]:
        """An entry with its ISRC, which albums do not tell."""
        wanted = entry["spotify_id"]
        if not entry["isrc"] and wanted not in self._isrcs:
            try:
                (found,) = entries_from([self._catalogue.track(wanted)], only=wanted)
            except SpotifyError as error:
                if error.kind != "not_found":
                    raise
                found = {}
            self._isrcs[wanted] = found.get("isrc")
        return {**entry, "isrc": entry["isrc"] or self._isrcs[wanted]}


def _names(entry: Mapping[str, Any]) -> tuple[str, str]:
    return str(entry["title"]).casefold(), str(entry["artist"]).casefold()


def _lengths_agree(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    first, second = one["duration_seconds"], other["duration_seconds"]
    return first is None or second is None or abs(first - second) <= _SECONDS_APART
