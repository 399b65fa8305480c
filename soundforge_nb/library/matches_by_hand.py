"""A person's own word on which file a track of Spotify's is: above what was found, and remembered."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from soundforge_nb.library.catalog import TRACK_COLUMNS
from soundforge_nb.library.links import known_links, placeholder
from soundforge_nb.library.matching import Match
from soundforge_nb.library.own_files import take
from soundforge_nb.library.spotify_lists import MARK
from soundforge_nb.lifecycle.identifiers import new_id
from soundforge_nb.store.session import Session
from soundforge_nb.store.statements import statement

_sql = partial(statement, "library")

REFUSAL_COLUMNS = {"spotify_id": "VARCHAR", "track_id": "UUID", "refused_at": "TIMESTAMP"}
REASON = "by hand"


def matches(
    session: Session, *, spotify_id: str | None = None, track_id: str | None = None
) -> list[dict[str, Any]]:
    """The matches of a track of Spotify's, or of a file's track: {spotify_id, track_id}."""
    return session.dicts(_sql("matches"), {"spotify_id": spotify_id, "track_id": track_id})


def undo(session: Session, match: dict[str, Any], now: datetime) -> str:
    """Make a match undone, and never again; returns the id of the track that is Spotify's alone again.

    What was made of the file stays with the file.
    """
    spotify_id, mark = match["spotify_id"], MARK + match["spotify_id"]
    track_id = new_id()
    row = {"track_id": track_id, "byte_hash": placeholder(mark), "title": mark, "added_at": now}
    session.insert("tracks", TRACK_COLUMNS, [row])
    session.execute(_sql("part_link"), {"mark": mark, "track_id": track_id})
    session.execute(_sql("forget_match"), {"spotify_id": spotify_id})
    session.insert("spotify_refusals", REFUSAL_COLUMNS, [{**match, "refused_at": now}], replace=True)
    return track_id


def match_by_hand(session: Session, spotify_id: str, track_id: str, now: datetime) -> bool:
    """Let a file's track be a track of Spotify's; False where that has audio of its own, or is not known.

    Another match that it has gives way.
    """
    for other in matches(session, spotify_id=spotify_id):
        if other["track_id"] != track_id:
            undo(session, other, now)
    session.execute(_sql("forget_refusal"), {"spotify_id": spotify_id, "track_id": track_id})
    pending = known_links(session, [MARK + spotify_id]).get(MARK + spotify_id)
    if pending is None:
        return False
    if pending == track_id:
        return True
    row = session.one("SELECT byte_hash FROM tracks WHERE track_id = ?", [pending])
    if row is None or row[0] != placeholder(MARK + spotify_id):
        return False
    found = Match(pending, track_id, 1.0, REASON)
    return bool(take(session, [found], {pending: spotify_id}, now))
