"""What is taken of Spotify's answers: the little that tells a recording from another. Dicts in, dicts out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

_ID = re.compile(r"[0-9A-Za-z]{22}")
_ISRC = re.compile(r"[A-Z]{2}[A-Z0-9]{3}\d{7}")
_MOST = 500


def track_of(item: Any, album: str | None = None) -> dict[str, Any] | None:
    """The minimum about one track; None where it is none.

    Parameters
    ----------
    item : Any
        A track of an answer: full, or without its album as an album lists it.
    album : str, optional
        The album's title, where the item does not say.

    >>> track_of({"id": "6rqhFgbbKwnb9MLmUQDhG6", "name": "Song", "duration_ms": 1500})["duration_seconds"]
    1.5
    """
    if not isinstance(item, Mapping) or item.get("type", "track") != "track" or item.get("is_local"):
        return None
    # Where a market has another copy of it, the one that was asked for gives the name.
    linked = item.get("linked_from")
    spotify_id = (linked.get("id") if isinstance(linked, Mapping) else None) or item.get("id")
    title = text_of(item.get("name"))
    if not isinstance(spotify_id, str) or not _ID.fullmatch(spotify_id) or not title:
        return None
    artists = [text_of(_part(artist, "name")) for artist in _list(item.get("artists"))]
    milliseconds = item.get("duration_ms")
    isrc = re.sub(r"[^A-Z0-9]", "", str(_part(item.get("external_ids"), "isrc") or "").upper())
    return {
        "spotify_id": spotify_id,
        "title": title,
        "artist": ", ".join(filter(None, artists))[:_MOST] or None,
        "album": text_of(_part(item.get("album"), "name")) or album,
        "isrc": isrc if _ISRC.fullmatch(isrc) else None,
        "duration_seconds": milliseconds / 1000
        if isinstance(milliseconds, (int, float)) and 0 < milliseconds < 1e9
        else None,
    }


def refusal_of(item: Any) -> str:
    """Why an entry of a list is no track of Spotify's."""
    if not isinstance(item, Mapping):
        return "is not available any more"
    if item.get("is_local"):
        return "is a file of somebody's own, which Spotify does not have"
    kind = item.get("type", "track")
    return "is not available any more" if kind == "track" else f"is no track ({text_of(kind)})"


def entries_of(items: Any) -> Sequence[Any]:
    """The tracks in a playlist's page, by the name of today (`item`) or of before (`track`)."""
    return [
        (entry["item"] if "item" in entry else entry.get("track")) if isinstance(entry, Mapping) else None
        for entry in _list(items)
    ]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _part(value: Any, name: str) -> Any:
    return value.get(name) if isinstance(value, Mapping) else None


def text_of(value: Any) -> str:
    """Text as a database and a page can hold it."""
    if not isinstance(value, str):
        return ""
    return value.encode("utf-8", "replace").decode("utf-8").replace("\0", "").strip()[:_MOST]
