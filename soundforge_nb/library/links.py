"""Tracks that links stand for: each link is one track, before its audio is here and after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from soundforge_nb.jobs.kind import Update
from soundforge_nb.library.catalog import TRACK_COLUMNS
from soundforge_nb.lifecycle.identifiers import new_id
from soundforge_nb.store.session import Session
from soundforge_nb.store.statements import statement

_sql = partial(statement, "library")

LINK_COLUMNS = {
    "mark": "VARCHAR",
    "shown": "VARCHAR",
    "track_id": "UUID",
    "added_at": "TIMESTAMP",
}
#: What becomes of tracks that turn out to be others, once `merged_tracks` says so, statement by statement.
_MERGE = ("merge_links", "merge_files", "merge_jobs", "merge_inputs", "merge_merged", "merge_tracks")
MERGED_COLUMNS = {"merged_id": "UUID", "track_id": "UUID"}


@dataclass(frozen=True)
class LinkedTrack:
    """A link to be added.

    Attributes
    ----------
    mark : str
        What it is known by, see `soundforge_nb.pipeline.link_files`.
    shown : str
        The link as it may be seen.
    title : str
    """

    mark: str
    shown: str
    title: str


def placeholder(mark: str) -> str:
    """What stands for the hash of a track's bytes until there are any.

    >>> placeholder("ab12")
    'link:ab12'
    """
    return f"link:{mark}"


def known_links(session: Session, marks: Sequence[str]) -> dict[str, str]:
    """The tracks that these links stand for, by mark."""
    return dict(session.rows(_sql("tracks_by_link"), {"marks": list(marks)}))


def add_links(session: Session, links: Sequence[LinkedTrack], now: datetime) -> dict[str, str]:
    """Make tracks of links; a link that is known keeps its track. Returns track ids by mark."""
    # A link named twice is one track.
    links = list({entry.mark: entry for entry in links}.values())
    known = known_links(session, [entry.mark for entry in links])
    new = [entry for entry in links if entry.mark not in known]
    ids = {entry.mark: new_id() for entry in new}
    tracks: list[dict[str, Any]] = [
        {
            "track_id": ids[entry.mark],
            "byte_hash": placeholder(entry.mark),
            "title": entry.title,
            "added_at": now,
        }
        for entry in new
    ]
    rows = [
        {"mark": entry.mark, "shown": entry.shown, "track_id": ids[entry.mark], "added_at": now}
        for entry in new
    ]
    session.insert("tracks", TRACK_COLUMNS, tracks)
    session.insert("links", LINK_COLUMNS, rows)
    return known | ids


def link_paths(session: Session, marks: Sequence[str]) -> dict[str, list[str]]:
    """Of these links those that are known, each with the paths of its track's files."""
    found: dict[str, list[str]] = {}
    for mark, path in session.rows(_sql("link_paths"), {"marks": list(marks)}):
        found.setdefault(mark, []).extend([path] if path else [])
    return found


def wanted_downloads(session: Session) -> list[str]:
    """The keys of downloads, and of readings of Spotify's lists, that have not ended."""
    return [row[0] for row in session.rows(_sql("wanted_downloads"))]


def merge_if_known(track_id: str | None, byte_hash: str) -> tuple[Update, ...]:
    """Let a track whose bytes turn out to be another track's become that one; else nothing.

    Its links, files, jobs and inputs go over, and its id goes on to lead there.
    """
    first = Update(_sql("merge"), {"track_id": track_id, "byte_hash": byte_hash})
    return (first, *(Update(sql, {"track_ids": [track_id]}) for sql in merge_rest()))


def merge_rest() -> list[str]:
    """The statements that hand over what belonged to `track_ids`, which lead to other tracks by now."""
    return [_sql(name) for name in _MERGE]
