"""What Spotify said is kept as it was read last, for a time, and makes each song one track."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from soundforge_nb.library import catalog, spotify_lists
from soundforge_nb.store.session import Session

NOW = datetime(2026, 5, 1)
LINK = "spotify:playlist:" + "3" * 22


def entry(name: str, **changes: Any) -> dict[str, Any]:
    return {
        "spotify_id": name * 22,
        "title": f"Song {name}",
        "artist": "Ada",
        "album": "Works",
        "isrc": None,
        "duration_seconds": 180.0,
    } | changes


def record(session: Session, entries: list[dict[str, Any]], now: datetime = NOW, link: str = LINK) -> None:
    inserts, updates = spotify_lists.as_inserts(link, entries, now)
    for insert in inserts:
        session.insert(insert.table, insert.columns, insert.rows, insert.unless, insert.replace)
    for update in updates:
        session.execute(update.sql, update.parameters)


def shown(session: Session, link: str = LINK) -> list[str | None]:
    return [row["spotify_id"] and row["spotify_id"][0] for row in spotify_lists.entries(session, link)]


def test_a_list_is_as_it_was_read_last(session: Session) -> None:
    assert spotify_lists.fetched_at(session, LINK) is None
    record(session, [entry("a"), {"refusal": "is gone"}, entry("b"), entry("a")])
    assert shown(session) == ["a", None, "b", "a"]
    record(session, [entry("b", title="Renamed"), entry("c")], NOW + timedelta(hours=1))
    assert shown(session) == ["b", "c"]
    assert spotify_lists.fetched_at(session, LINK) == NOW + timedelta(hours=1)
    record(session, [])
    assert shown(session) == []


def test_each_song_is_one_track_and_looks_like_what_spotify_says(session: Session) -> None:
    record(session, [entry("a"), entry("b")])
    ids = ["a" * 22, "b" * 22]
    first = spotify_lists.add_tracks(session, ids, NOW)
    assert spotify_lists.add_tracks(session, ids, NOW) == first
    rows = catalog.tracks(session, [first[name] for name in ids])
    assert [(row["title"], row["artist"], row["album"]) for row in rows] == [
        ("Song a", "Ada", "Works"),
        ("Song b", "Ada", "Works"),
    ]
    assert rows[0]["link"] == f"https://open.spotify.com/track/{'a' * 22}"
    assert (rows[0]["path"], rows[0]["duration_seconds"]) == (None, 180.0)


def test_what_was_said_is_forgotten_in_time_and_the_track_stays(session: Session) -> None:
    record(session, [entry("a")])
    record(session, [entry("b")], NOW + timedelta(days=2), "spotify:album:" + "4" * 22)
    added = spotify_lists.add_tracks(session, ["a" * 22, "b" * 22], NOW)
    before = NOW + timedelta(days=1)
    assert spotify_lists.has_older(session, before)
    spotify_lists.forget_older(session, before)
    assert not spotify_lists.has_older(session, before)
    assert shown(session) == []
    assert shown(session, "spotify:album:" + "4" * 22) == ["b"]
    titles = {row["track_id"]: row["title"] for row in catalog.tracks(session)}
    assert titles == {added["a" * 22]: f"spotify:track:{'a' * 22}", added["b" * 22]: "Song b"}


def test_ten_thousand_are_added_in_a_moment(session: Session) -> None:
    names = [f"{number:022d}" for number in range(10_000)]
    record(session, [entry("x", spotify_id=name) for name in names])
    added = spotify_lists.add_tracks(session, names, NOW)
    assert len(set(added.values())) == 10_000
    assert len(catalog.tracks(session, list(added.values()))) == 10_000
