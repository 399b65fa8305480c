"""Reading jobs as a person does: page by page through filters, one in full, track by track."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import Any

from soundforge_nb.store.session import Session
from soundforge_nb.store.statements import statement

_sql = partial(statement, "jobs")

#: A page is read by a person: nobody needs more at once.
LARGEST_PAGE = 500
PIPELINES = 40


@dataclass(frozen=True)
class Filters:
    """Which jobs are wanted; what is None does not matter."""

    states: tuple[str, ...] | None = None
    queue: str | None = None
    kind: str | None = None
    tag: str | None = None
    words: str | None = None


def page(session: Session, filters: Filters, offset: int, size: int) -> dict[str, Any]:
    """Jobs that fit, the newest first, and how many there are in all."""
    rows = session.dicts(
        _sql("page"),
        {
            "states": None if filters.states is None else list(filters.states),
            "queue": filters.queue,
            "kind": filters.kind,
            "tag": filters.tag,
            "words": filters.words or None,
            "offset": max(0, offset),
            "size": max(0, min(size, LARGEST_PAGE)),
        },
    )
    total = rows[0]["total"]
    shown = [row for row in rows if row["job_id"] is not None]
    for row in shown:
        del row["total"]
        row["tags"] = json.loads(row["tags"])
    return {"total": total, "offset": offset, "rows": shown}


def kinds_and_tags(session: Session) -> dict[str, list[str]]:
    """What there is to filter by."""
    found: dict[str, list[str]] = {"kind": [], "tag": []}
    for what, word in session.rows(_sql("kinds_and_tags")):
        found[what].append(word)
    return {"kinds": found["kind"], "tags": found["tag"]}


def whole_job(session: Session, job_id: str) -> dict[str, Any] | None:
    """A job in full: its row, its attempts with their errors, its parents and children."""
    rows = session.dicts(_sql("whole_job"), {"job_id": job_id})
    if not rows:
        return None
    (job,) = rows
    _read_json(job, "args", "meta", "tags", "result", "error")
    job["attempts"] = session.dicts(_sql("attempts_of"), {"job_id": job_id})
    for attempt in job["attempts"]:
        _read_json(attempt, "error")
    relatives = session.dicts(_sql("relatives"), {"job_id": job_id})
    for relation, name in (("parent", "parents"), ("child", "children")):
        job[name] = [
            {key: value for key, value in row.items() if key != "relation"}
            for row in relatives
            if row["relation"] == relation
        ]
    return job


def pipelines(session: Session, tracks: int = PIPELINES) -> dict[str, Any]:
    """The tracks that are worked on, each with how far its steps are; and how many there are in all."""
    found: dict[str, dict[str, Any]] = {}
    total = 0
    for row in session.dicts(_sql("pipelines"), {"tracks": tracks}):
        total = row["tracks"]
        track = found.setdefault(
            row["track_id"], {"track_id": row["track_id"], "title": row["title"] or "", "steps": []}
        )
        track["steps"].append({name: row[name] for name in ("kind", "job_id", "state", "progress")})
    # A song of Spotify's: what it is called expires, so its jobs know its id alone.
    by_id = [track_id for track_id, track in found.items() if track["title"].startswith("spotify:")]
    if by_id:
        for track_id, title in session.rows(_sql("titles_now"), {"track_ids": by_id}):
            found[track_id]["title"] = title or found[track_id]["title"]
    return {"tracks": list(found.values()), "total": total}


def _read_json(row: dict[str, Any], *columns: str) -> None:
    for column in columns:
        row[column] = json.loads(row[column]) if row[column] else None
