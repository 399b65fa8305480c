"""What Spotify is asked, and how its answers are taken."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from soundforge_nb.errors import SpotifyError
from soundforge_nb.spotify.metadata import refusal_of, track_of

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
    def artist_page(self, spotify_id: str, offset: int) -> dict[str, Any]: ...


def items_of(page: Mapping[str, Any]) -> list[Any]:
    """What a page lists.

    Raises
    ------
    SpotifyError
        It lists nothing.
    """
    items = page.get("items")
    if not isinstance(items, list):
        raise SpotifyError(
            "Spotify's answer lacks its list.", "It is tried again.", kind="broken", details={"retry": True}
        )
    return items


def entries_from(
    items: Iterable[Any], album: str | None = None, only: str | None = None
) -> list[dict[str, Any]]:
    """What is kept of each of these: a track, or why it is none.

    Parameters
    ----------
    items : iterable
    album : str, optional
        The title of the album that they stand on.
    only : str, optional
        The id that a track was asked for by.
    """
    entries = []
    for item in items:
        found = track_of(item, album)
        if found is None:
            entries.append({"refusal": refusal_of(item)})
        else:
            # A track that was asked for by an id goes by that id, whichever copy the market has.
            entries.append(found | ({"spotify_id": only} if only else {}))
    return entries
