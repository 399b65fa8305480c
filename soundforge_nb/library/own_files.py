"""Own files first: what Spotify tells of and is here already is that file, and is not fetched."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from soundforge_nb.library.links import MERGED_COLUMNS, merge_rest
from soundforge_nb.library.matching import Match, Matcher, Recording
from soundforge_nb.store.session import Session
from soundforge_nb.store.statements import statement

_sql = partial(statement, "library")

MATCH_COLUMNS = {
    "spotify_id": "VARCHAR",
    "track_id": "UUID",
    "score": "DOUBLE",
    "reason": "VARCHAR",
    "matched_at": "TIMESTAMP",
}


@dataclass(frozen=True)
class Wanted:
    """What is looked for, and what there is; read in one moment.

    Attributes
    ----------
    pending : list of Recording
        Tracks that are known from Spotify alone, by track id.
    own : list of Recording
        Tracks with a file, by track id.
    paths : dict
        Their files.
    spotify_ids : dict
        Spotify's ids of the pending ones, by track id.
    refused : dict
        By Spotify's id the tracks that a person said are not it.
    """

    pending: list[Recording] = field(default_factory=list)
    own: list[Recording] = field(default_factory=list)
    paths: dict[str, list[str]] = field(default_factory=dict)
    spotify_ids: dict[str, str] = field(default_factory=dict)
    refused: dict[str, set[str]] = field(default_factory=dict)


def look(session: Session, track_ids: Sequence[str]) -> Wanted:
    """Of these tracks those that are known from Spotify alone, and the files they may be."""
    wanted = Wanted()
    for row in session.dicts(_sql("pending_spotify"), {"track_ids": list(track_ids)}):
        wanted.spotify_ids[row["name"]] = row.pop("spotify_id")
        wanted.pending.append(Recording(**row))
    if wanted.pending:
        for row in session.dicts(_sql("own_recordings")):
            path = row.pop("path")
            if row["name"] not in wanted.paths:
                wanted.own.append(Recording(**row))
            wanted.paths.setdefault(row["name"], []).append(path)
        ids = list(wanted.spotify_ids.values())
        for spotify_id, track_id in session.rows(_sql("refused_matches"), {"spotify_ids": ids}):
            wanted.refused.setdefault(spotify_id, set()).add(track_id)
    return wanted


def find(wanted: Wanted) -> list[Match]:
    """The files that are there for what is looked for; looks at the disk, so it belongs in a thread."""
    matcher = Matcher(wanted.own)
    found = (
        matcher.find(recording, wanted.refused.get(wanted.spotify_ids[recording.name], ()))
        for recording in wanted.pending
    )
    there: dict[str, bool] = {}

    def is_there(name: str) -> bool:
        if name not in there:
            there[name] = any(Path(path).is_file() for path in wanted.paths[name])
        return there[name]

    return [match for match in found if match is not None and is_there(match.found)]


def take(session: Session, matches: Iterable[Match], spotify_ids: dict[str, str], now: datetime) -> int:
    """Make the tracks that were matched one with those files; returns how many."""
    # Since the look they may have come by themselves, or their files' tracks have gone.
    found = {match.wanted: match for match in matches}
    names = [*found, *(match.found for match in found.values())]
    left = {row[0] for row in session.rows(_sql("still_there"), {"track_ids": names})}
    good = [match for match in found.values() if match.wanted in left and match.found in left]
    rows: list[dict[str, Any]] = [
        {
            "spotify_id": spotify_ids[match.wanted],
            "track_id": match.found,
            "score": match.score,
            "reason": match.reason,
            "matched_at": now,
        }
        for match in good
    ]
    merged = [{"merged_id": match.wanted, "track_id": match.found} for match in good]
    session.insert("spotify_matches", MATCH_COLUMNS, rows, replace=True)
    session.insert("merged_tracks", MERGED_COLUMNS, merged, replace=True)
    if good:
        for sql in merge_rest():
            session.execute(sql, {"track_ids": [match.wanted for match in good]})
    return len(good)
