"""What Spotify tells of and is here already becomes that file's track, and nothing of either is lost."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from soundforge_nb.library import catalog, own_files, spotify_lists
from soundforge_nb.library import matches_by_hand as by_hand
from soundforge_nb.library.examine import Examined, Stamp
from soundforge_nb.library.tags import Tags
from soundforge_nb.store.session import Session

NOW = datetime(2026, 5, 1)


def spotify(session: Session, *entries: tuple[str, str, str | None]) -> dict[str, str]:
    """Adds tracks as Spotify tells of them: id's letter, title, ISRC."""
    rows = [
        {"spotify_id": name * 22, "title": title, "artist": "Ada", "album": None, "isrc": isrc}
        | {"duration_seconds": 180.0}
        for name, title, isrc in entries
    ]
    inserts, _ = spotify_lists.as_inserts("spotify:album:x", rows, NOW)
    for insert in inserts:
        session.insert(insert.table, insert.columns, insert.rows, insert.unless, insert.replace)
    added = spotify_lists.add_tracks(session, [name * 22 for name, _, _ in entries], NOW)
    return {name[0]: track_id for name, track_id in added.items()}


def own(session: Session, path: Path, title: str, **tags: Any) -> str:
    path.write_bytes(title.encode())
    known = Tags(**({"title": title, "artist": "Ada", "duration_seconds": 181.0} | tags))
    examined = Examined(str(path), Stamp(1, 1), f"hash of {path.name}", known)
    return catalog.add_files(session, [examined], NOW)[str(path)]


def match(session: Session, track_ids: list[str]) -> int:
    wanted = own_files.look(session, track_ids)
    return own_files.take(session, own_files.find(wanted), wanted.spotify_ids, NOW)


def test_a_file_of_one_s_own_takes_the_track_s_place(session: Session, tmp_path: Path) -> None:
    mine = own(session, tmp_path / "one.mp3", "One")
    by_isrc = own(session, tmp_path / "other.mp3", "Otherwise named", isrc="DEA123400007")
    told = spotify(session, ("a", "One", None), ("b", "Two", "DEA123400007"), ("c", "Three", None))
    assert match(session, list(told.values())) == 2
    rows = catalog.tracks(session, [told["a"], told["b"], told["c"]])
    assert [row["track_id"] for row in rows] == [mine, by_isrc, told["c"]]
    assert [row["match_score"] for row in rows] == [
        rows[0]["match_score"],
        1.0,
        None,
    ]
    assert 0.9 < rows[0]["match_score"] < 1
    assert [row["match_reason"] for row in rows] == ["title, artist and length", "the same ISRC", None]
    assert rows[0]["path"] == str(tmp_path / "one.mp3")
    assert rows[0]["title"] == "One"
    assert len(catalog.tracks(session)) == 3
    # Added again it is that file at once; looked for again nothing changes.
    assert spotify(session, ("a", "One", None)) == {"a": mine}
    assert match(session, list(told.values())) == 0


def test_what_only_the_library_remembers_is_no_file(session: Session, tmp_path: Path) -> None:
    own(session, tmp_path / "one.mp3", "One")
    (tmp_path / "one.mp3").unlink()
    told = spotify(session, ("a", "One", None))
    assert match(session, [told["a"]]) == 0
    assert len(catalog.tracks(session)) == 2


def test_what_changed_since_the_look_is_not_taken(session: Session, tmp_path: Path) -> None:
    mine = own(session, tmp_path / "one.mp3", "One")
    told = spotify(session, ("a", "One", None))
    wanted = own_files.look(session, [told["a"]])
    matches = own_files.find(wanted)
    assert [found.found for found in matches] == [mine]
    session.execute("DELETE FROM tracks WHERE track_id = ?", [mine])
    assert own_files.take(session, matches, wanted.spotify_ids, NOW) == 0
    assert [row["track_id"] for row in catalog.tracks(session, [told["a"]])] == [told["a"]]


def test_a_track_that_has_its_own_bytes_is_not_looked_for(session: Session, tmp_path: Path) -> None:
    mine = own(session, tmp_path / "one.mp3", "One")
    assert own_files.look(session, [mine]).pending == []


def test_a_person_s_word_stands_above_what_was_found(session: Session, tmp_path: Path) -> None:
    """Undone it is not found again, in no other way either; another file may be; and minds change."""
    mine = own(session, tmp_path / "one.mp3", "One", isrc="DEA123400007")
    told = spotify(session, ("a", "One", "DEA123400007"))
    assert match(session, [told["a"]]) == 1
    (found,) = by_hand.matches(session, track_id=mine)
    # The id of before leads to it too.
    assert by_hand.matches(session, track_id=told["a"]) == [found]
    apart = by_hand.undo(session, found, NOW)
    (row,) = catalog.tracks(session, [apart])
    assert (row["title"], row["path"], row["match_score"]) == ("One", None, None)
    assert catalog.tracks(session, [mine])[0]["match_score"] is None
    assert spotify(session, ("a", "One", "DEA123400007")) == {"a": apart}
    assert match(session, [apart]) == 0
    assert by_hand.matches(session, track_id=mine) == []

    other = own(session, tmp_path / "two.mp3", "One")
    assert match(session, [apart]) == 1
    assert spotify(session, ("a", "One", None)) == {"a": other}
    # By hand the first one, though it was refused; the other gives way.
    assert by_hand.match_by_hand(session, "a" * 22, mine, NOW)
    (row,) = catalog.tracks(session, [mine])
    assert (row["match_score"], row["match_reason"]) == (1.0, "by hand")
    assert spotify(session, ("a", "One", None)) == {"a": mine}
    assert by_hand.match_by_hand(session, "a" * 22, mine, NOW)
    assert len(catalog.tracks(session)) == 2


def test_what_can_t_be_matched_by_hand(session: Session, tmp_path: Path) -> None:
    """A song that was never added, and one whose own audio came."""
    mine = own(session, tmp_path / "one.mp3", "One")
    assert not by_hand.match_by_hand(session, "b" * 22, mine, NOW)
    told = spotify(session, ("a", "Two", None))
    session.execute("UPDATE tracks SET byte_hash = 'bytes' WHERE track_id = ?", [told["a"]])
    assert not by_hand.match_by_hand(session, "a" * 22, mine, NOW)
