"""Tracks that links stand for: each link is one track, before its audio is here and after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from soundforge_nb.library.catalog import TRACK_COLUMNS
from soundforge_nb.lifecycle.identifiers import new_id
from soundforge_nb.store.session import Session
from soundforge_nb.store.statements import statement

_sql = partial(statement, "library")

LINK_COLUMNS = {
    "link": "VARCHAR",
    "track_id": "UUID",
    "added_at": "TIMESTAMP",
}


@dataclass(frozen=True)
class LinkedTrack:
    """A link to be added.

    Attributes
    ----------
    link : str
    placeholder : str
        Stands for the hash of the bytes until there are any.
    title : str
    """

    link: str
    placeholder: str
    title: str


def known_links(session: Session, links: Sequence[str]) -> dict[str, str]:
    """The tracks that these links stand for, by link."""
    return dict(session.rows(_sql("tracks_by_link"), {"links": list(links)}))


def add_links(session: Session, links: Sequence[LinkedTrack], now: datetime) -> dict[str, str]:
    """Make tracks of links; a link that is known keeps its track. Returns track ids by link."""
    # A link named twice is one track.
    links = list({entry.link: entry for entry in links}.values())
    known = known_links(session, [entry.link for entry in links])
    new = [entry for entry in links if entry.link not in known]
    ids = {entry.link: new_id() for entry in new}
    tracks: list[dict[str, Any]] = [
        {
            "track_id": ids[entry.link],
            "byte_hash": entry.placeholder,
            "title": entry.title,
            "added_at": now,
        }
        for entry in new
    ]
    rows = [{"link": entry.link, "track_id": ids[entry.link], "added_at": now} for entry in new]
    session.insert("tracks", TRACK_COLUMNS, tracks)
    session.insert("links", LINK_COLUMNS, rows)
    return known | ids
