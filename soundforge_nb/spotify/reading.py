"""Reading what a link names: page after page into a file, gone on with after a kill."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from soundforge_nb.spotify.artist import read_artist
from soundforge_nb.spotify.catalogue import MOST_ENTRIES, Catalogue, Report, entries_from, items_of
from soundforge_nb.spotify.metadata import entries_of
from soundforge_nb.spotify.pages import Pages
from soundforge_nb.spotify.urls import ALBUM, ARTIST, PLAYLIST, TRACK, SpotifyLink

#: A playlist that changes each time while it is read is taken as it came, at last.
_READINGS = 3


def read_all(link: SpotifyLink, catalogue: Catalogue, pages: Pages, report: Report) -> None:
    """Read what a link names into `pages`, from where they end.

    Raises
    ------
    SpotifyError
    """
    if link.kind == TRACK:
        pages.begin({"link": link.uri, "title": None, "state": None})
        if not pages.ended:
            pages.add(entries_from([catalogue.track(link.spotify_id)], only=link.spotify_id), ended=True)
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
    elif link.kind == ARTIST:
        read_artist(link, catalogue, pages, report)


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
        items = items_of(page)
        more = bool(page.get("next")) and bool(items) and pages.entries + len(items) < MOST_ENTRIES
        pages.add(entries_from(entries_in(items), album), ended=not more)
        total = page.get("total")
        known = total if isinstance(total, int) and total > 0 else pages.entries
        report(min(99, pages.entries * 100 // max(1, known)), f"{pages.entries} of {known} tracks")


def _plain(items: Any) -> Any:
    return items


def _title(answer: Mapping[str, Any]) -> str | None:
    name = answer.get("name")
    return name.replace("\0", "").strip()[:500] if isinstance(name, str) and name.strip() else None
