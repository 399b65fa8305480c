"""Tracks are known by their bytes: the same bytes are one track, wherever they lie."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from soundforge_nb.library import catalog
from soundforge_nb.library.examine import examine, stamp_of
from soundforge_nb.lifecycle.identifiers import new_id
from soundforge_nb.store.session import Session

NOW = datetime(2026, 5, 1)


def add(session: Session, *paths: Path, now: datetime = NOW) -> list[str]:
    added = catalog.add_files(session, [examine(str(path)) for path in paths], now)
    return [added[str(path)] for path in paths]


def test_adding_twice_is_one_track(session: Session, tone: Callable[..., Path]) -> None:
    path = tone()
    assert add(session, path) == add(session, path)
    (row,) = catalog.tracks(session)
    assert (row["title"], row["path"], row["format"]) == ("tone", str(path), "wav")
    assert (row["size_bytes"], row["mtime_ns"]) == (path.stat().st_size, path.stat().st_mtime_ns)


def test_the_same_bytes_at_two_paths_are_one_track(session: Session, tone: Callable[..., Path]) -> None:
    one, two = tone("one.wav"), tone("two.wav")
    first, second = add(session, one, two)
    assert first == second
    third = tone("three.wav")
    assert add(session, third, now=NOW + timedelta(hours=1)) == [first]
    (row,) = catalog.tracks(session)
    # The file added last, with its own stamp; of those added together the first by name.
    assert (row["path"], row["mtime_ns"]) == (str(third), third.stat().st_mtime_ns)


def test_of_files_added_together_path_and_stamp_belong_together(
    session: Session, tone: Callable[..., Path]
) -> None:
    paths = [tone(f"{number}.wav") for number in range(20)]
    add(session, *paths)
    (row,) = catalog.tracks(session)
    assert row["path"] == str(min(paths))
    assert row["mtime_ns"] == min(paths).stat().st_mtime_ns


def test_a_path_given_twice_is_one_file(session: Session, tone: Callable[..., Path]) -> None:
    path = tone()
    add(session, path, path)
    assert session.rows("SELECT count(*) FROM files") == [(1,)]


def test_a_changed_file_becomes_another_track(session: Session, tone: Callable[..., Path]) -> None:
    path = tone()
    (before,) = add(session, path)
    tone(pitch_hz=880.0)
    (after,) = add(session, path)
    assert before != after
    old, new = catalog.tracks(session, [before, after])
    assert (old["path"], new["path"]) == (None, str(path))


def test_known_files_are_told_by_their_stamp(session: Session, tone: Callable[..., Path]) -> None:
    path, strange = tone(), tone("strange.wav")
    (track_id,) = add(session, path)
    assert catalog.known_stamps(session, [str(path), str(strange)]) == {
        str(path): (stamp_of(str(path)), track_id)
    }


def test_tracks_come_in_the_order_asked_for_repeats_included(
    session: Session, tone: Callable[..., Path]
) -> None:
    one, two = add(session, tone("one.wav"), tone("two.wav", pitch_hz=220.0))
    asked = [two, one, two, new_id()]
    assert [row["track_id"] for row in catalog.tracks(session, asked)] == [two, one, two]
    assert catalog.tracks(session, []) == []


def test_a_title_of_any_text_is_kept(session: Session, tone: Callable[..., Path]) -> None:
    name = '<b>it\'s "x"; DROP TABLE tracks; -- 音\n.wav'
    add(session, tone(name))
    assert catalog.tracks(session)[0]["title"] == name.removesuffix(".wav").strip()


def test_nothing_is_known_of_an_unknown_track(session: Session) -> None:
    assert catalog.analysis(session, new_id(), "mixture") is None
    assert catalog.stems(session, new_id()) == []
    assert catalog.stems_by_request(session, ["key"]) == {}
    assert catalog.analyses_by_request(session, []) == {}
