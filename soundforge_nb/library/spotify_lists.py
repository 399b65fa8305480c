"""What Spotify said: lists, their entries, and the little that is kept about tracks, for a time.

What is kept where, and for how long:

- ``spotify_tracks``: title, artist, album, ISRC and length of a track; ``spotify_lists`` and
  ``spotify_entries``: which tracks a list holds, by id. For `Config.spotify_metadata_days` (30) after they
  were read; then the link keeper deletes them, and a track that has no file goes by its Spotify id. (DuckDB
  overwrites the room of deleted rows when it needs it.)
- ``<data>/partial/*.part``, ``<data>/staging/*/pages.jsonl``: a list while it is read, gone when its job has
  ended (a reading that was given up: after a day).
- ``<data>/links/songs``: where downloads are allowed, what a track is looked for by; until its audio is here,
  or the row above is gone.
- ``tracks``, ``links``, ``spotify_matches``, batches, jobs, attempts, exports, manifests, logs: Spotify's id.

A file that was fetched carries tags (title, artist, album, ISRC), as any file of music does. What a file says
of itself is the file's, and stays as long as it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from soundforge_nb.jobs.kind import Insert, Update
from soundforge_nb.library.links import LinkedTrack, add_links
from soundforge_nb.store.session import Session
from soundforge_nb.store.statements import statement

_sql = partial(statement, "library")

TRACK_COLUMNS = {
    "spotify_id": "VARCHAR",
    "title": "VARCHAR",
    "artist": "VARCHAR",
    "album": "VARCHAR",
    "isrc": "VARCHAR",
    "duration_seconds": "DOUBLE",
    "fetched_at": "TIMESTAMP",
}
LIST_COLUMNS = {"link": "VARCHAR", "fetched_at": "TIMESTAMP"}
ENTRY_COLUMNS = {"link": "VARCHAR", "position": "INTEGER", "spotify_id": "VARCHAR", "refusal": "VARCHAR"}
#: What a link's mark begins with where the link is a track of Spotify's.
MARK = "spotify:track:"


def as_inserts(
    link: str, entries: Iterable[dict[str, Any]], now: datetime
) -> tuple[tuple[Insert, ...], tuple[Update, ...]]:
    """A list as it was read: its rows, and what makes longer lists of before shorter.

    Parameters
    ----------
    link : str
        Of the list, as ``spotify:album:…``.
    entries : iterable of dict
        Each the columns of a track, or ``refusal``.
    now : datetime
    """
    tracks: dict[str, dict[str, Any]] = {}
    rows = []
    for position, entry in enumerate(entries):
        spotify_id = entry.get("spotify_id")
        if spotify_id:
            tracks[spotify_id] = {**entry, "fetched_at": now}
        rows.append(
            {
                "link": link,
                "position": position,
                "spotify_id": spotify_id,
                "refusal": entry.get("refusal"),
            }
        )
    inserts = (
        Insert("spotify_tracks", TRACK_COLUMNS, tuple(tracks.values()), replace=True),
        Insert("spotify_entries", ENTRY_COLUMNS, tuple(rows), replace=True),
        Insert("spotify_lists", LIST_COLUMNS, ({"link": link, "fetched_at": now},), replace=True),
    )
    return inserts, (Update(_sql("shorten_list"), {"link": link, "length": len(rows)}),)


def fetched_at(session: Session, link: str) -> datetime | None:
    """When a list was read last."""
    row = session.one("SELECT fetched_at FROM spotify_lists WHERE link = ?", [link])
    return row[0] if row else None


def entries(session: Session, link: str) -> list[dict[str, Any]]:
    """The entries of a list in order: each ``spotify_id`` or ``refusal``."""
    return session.dicts(_sql("list_entries"), {"link": link})


def add_tracks(session: Session, spotify_ids: Sequence[str], now: datetime) -> dict[str, str]:
    """Make tracks of Spotify's ids; one that is known keeps its track. Returns track ids by Spotify's."""
    new = [
        LinkedTrack(MARK + spotify_id, f"https://open.spotify.com/track/{spotify_id}", MARK + spotify_id)
        for spotify_id in spotify_ids
    ]
    by_mark = add_links(session, new, now)
    return {spotify_id: by_mark[MARK + spotify_id] for spotify_id in spotify_ids}


def told(session: Session, spotify_ids: Sequence[str]) -> set[str]:
    """Of these tracks those that something is still kept of."""
    return {row[0] for row in session.rows(_sql("told_tracks"), {"spotify_ids": list(spotify_ids)})}


def has_older(session: Session, before: datetime) -> bool:
    """Whether anything was read before this time."""
    return session.one(_sql("older_metadata"), {"before": before}) is not None


def forget_older(session: Session, before: datetime) -> None:
    """Forget what was read before this time; tracks stay, known by their link alone."""
    for name in ("forget_entries", "forget_lists", "forget_spotify_tracks"):
        session.execute(_sql(name), {"before": before})
