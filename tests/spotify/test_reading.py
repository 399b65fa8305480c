"""Lists are read to their end, page after page, on from where a kill left them, nothing twice."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spotify_server import Killed, SpotifyServer, spotify_id, track

from soundforge_nb.config import Config
from soundforge_nb.errors import SpotifyError
from soundforge_nb.lifecycle.clock import ManualClock
from soundforge_nb.spotify.metadata import track_of
from soundforge_nb.spotify.pages import open_pages
from soundforge_nb.spotify.reading import read_all
from soundforge_nb.spotify.urls import SpotifyLink

LIST = "3" * 22
ALBUM, PLAYLIST = SpotifyLink("album", LIST), SpotifyLink("playlist", LIST)


def numbers(entries: list[dict[str, Any]]) -> list[int]:
    return [int(entry["spotify_id"]) for entry in entries]


def test_a_track_goes_by_the_id_it_was_asked_for(
    spotify: SpotifyServer, read: Callable[..., list[dict[str, Any]]]
) -> None:
    spotify.tracks[LIST] = track(7)
    assert read(SpotifyLink("track", LIST)) == [
        {
            "spotify_id": LIST,
            "title": "Song 7",
            "artist": "Ada, Bob",
            "album": "Works",
            "isrc": "DEA100000007",
            "duration_seconds": 180.007,
        }
    ]


@pytest.mark.parametrize("count", [0, 1, 50, 51, 120])
def test_an_album_is_read_to_its_end(
    spotify: SpotifyServer, read: Callable[..., list[dict[str, Any]]], count: int
) -> None:
    spotify.albums[LIST] = [track(number) for number in range(count)]
    entries = read(ALBUM)
    assert numbers(entries) == list(range(count))
    # Its tracks come without their album and ISRC.
    assert {(entry["album"], entry["isrc"]) for entry in entries} <= {("Works", None)}
    pages = max(0, -(-count // 50) - 1)
    assert spotify.requests(f"/v1/albums/{LIST}/tracks") == pages


def test_what_is_no_track_has_its_reason(
    spotify: SpotifyServer, read: Callable[..., list[dict[str, Any]]]
) -> None:
    spotify.playlists[LIST] = [
        track(1),
        None,
        track(2, is_local=True, id=None),
        track(3, type="episode"),
        track(4, id="../../etc/passwd"),
        track(5, name=" \0"),
        track(6, linked_from={"id": spotify_id(60)}),
        track(7, external_ids={"isrc": "nonsense"}, artists=None, album=None, duration_ms="long"),
        "nonsense",
        track(1),
    ]
    entries = read(PLAYLIST)
    assert [entry.get("spotify_id") for entry in entries] == [
        *(spotify_id(1), None, None, None, None, None, spotify_id(60), spotify_id(7), None, spotify_id(1))
    ]
    reasons = [entry["refusal"] for entry in entries if "refusal" in entry]
    gone = "is not available any more"
    assert reasons == [
        *(gone, "is a file of somebody's own, which Spotify does not have", "is no track (episode)"),
        *(gone, gone, gone),
    ]
    assert entries[7] | {"spotify_id": ""} == {
        "spotify_id": "",
        "title": "Song 7",
        "artist": None,
        "album": None,
        "isrc": None,
        "duration_seconds": None,
    }


def test_a_playlist_of_10000_goes_on_after_each_kill(
    spotify: SpotifyServer, read: Callable[..., list[dict[str, Any]]]
) -> None:
    spotify.playlists[LIST] = [track(number) for number in range(10_000)]
    items = f"/v1/playlists/{LIST}/items"
    for _ in range(3):
        with pytest.raises(Killed):
            read(PLAYLIST, killed_after=40)
    assert spotify.requests(items) == 120
    assert numbers(read(PLAYLIST)) == list(range(10_000))
    # Every page was asked for once, whatever happened.
    assert spotify.requests(items) == 200
    assert "external_ids" in spotify.queries[-2]["fields"]


def test_a_playlist_is_read_by_the_way_of_before_where_todays_is_not(
    spotify: SpotifyServer, read: Callable[..., list[dict[str, Any]]]
) -> None:
    spotify.is_old = True
    spotify.playlists[LIST] = [track(number) for number in range(60)]
    assert numbers(read(PLAYLIST)) == list(range(60))
    ways = [spotify.requests(f"/v1/playlists/{LIST}/{way}") for way in ("items", "tracks")]
    assert ways == [1, 2]
    # What is not there by either way is not there.
    del spotify.playlists[LIST]
    with pytest.raises(SpotifyError) as caught:
        read(PLAYLIST)
    assert caught.value.kind == "not_found"


def test_its_memory_is_that_of_a_page(
    spotify: SpotifyServer, config: Config, clock: ManualClock, tmp_path: Path
) -> None:
    class Endless:
        def playlist(self, spotify_id: str) -> dict[str, Any]:
            return {"name": "x", "snapshot_id": "one"}

        def playlist_page(self, wanted: str, offset: int) -> dict[str, Any]:
            items = [{"item": track(offset + number)} for number in range(50)]
            return {"items": items, "next": "more", "total": 10_000}

    def peak(most: int) -> int:
        with open_pages(tmp_path / f"{most}.part") as pages:

            def report(percent: int, message: str) -> None:
                if pages.entries >= most:
                    raise Killed

            tracemalloc.start()
            with pytest.raises(Killed):
                read_all(PLAYLIST, Endless(), pages, report)  # type: ignore[arg-type]
            _, most_bytes = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            return most_bytes

    peak(500)
    assert peak(10_000) < 2 * peak(500)


def test_a_list_that_names_a_next_page_for_ever_ends(tmp_path: Path) -> None:
    class Endless:
        def album(self, spotify_id: str) -> dict[str, Any]:
            return {"name": "x", "tracks": self.album_page(spotify_id, 0)}

        def album_page(self, wanted: str, offset: int) -> dict[str, Any]:
            return {"items": [track(offset + number) for number in range(50)], "next": "more"}

    with open_pages(tmp_path / "x.part") as pages:
        read_all(ALBUM, Endless(), pages, lambda percent, message: None)  # type: ignore[arg-type]
        assert pages.entries == 20_000


def test_a_playlist_that_changes_is_read_again(
    spotify: SpotifyServer, read: Callable[..., list[dict[str, Any]]]
) -> None:
    spotify.playlists[LIST] = [track(number) for number in range(200)]
    items = f"/v1/playlists/{LIST}/items"

    def change(request: Any) -> None:
        """The first song goes, in the middle of the reading: each page is one further on than it was."""
        spotify.playlists[LIST] = spotify.playlists[LIST][1:]
        spotify.snapshots[LIST] = "two"
        request._catalogue(["playlists", LIST, "items"], {"offset": "50", "limit": "50"})

    spotify.faults[items] = [lambda request: request.fail(503)]
    with pytest.raises(SpotifyError):
        read(PLAYLIST)
    spotify.faults[items] = [
        lambda r: r._catalogue(["playlists", LIST, "items"], {"offset": "0", "limit": "50"}),
        change,
    ]
    assert numbers(read(PLAYLIST)) == list(range(1, 200))


def test_what_was_read_of_another_state_is_thrown_away(
    spotify: SpotifyServer, read: Callable[..., list[dict[str, Any]]]
) -> None:
    spotify.playlists[LIST] = [track(number) for number in range(200)]
    with pytest.raises(Killed):
        read(PLAYLIST, killed_after=2)
    spotify.playlists[LIST] = [track(number) for number in range(500, 600)]
    spotify.snapshots[LIST] = "two"
    assert numbers(read(PLAYLIST)) == list(range(500, 600))


def test_a_list_without_its_list_is_tried_again(
    spotify: SpotifyServer, read: Callable[..., list[dict[str, Any]]]
) -> None:
    spotify.playlists[LIST] = [track(1)]
    spotify.faults[f"/v1/playlists/{LIST}/items"] = [lambda request: request.say(200, {"items": {}})]
    with pytest.raises(SpotifyError, match="lacks its list") as caught:
        read(PLAYLIST)
    assert caught.value.retryable


@given(st.integers(0, 400), st.booleans())
def test_a_line_that_was_cut_is_read_again(cut: int, nonsense: bool) -> None:
    """A machine that loses its power may leave any part of the last write, and anything in its place."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "list.part"
        with open_pages(path) as pages:
            pages.begin({"link": "x", "title": None, "state": "one"})
            for number in range(3):
                pages.add([{"spotify_id": str(number)}], ended=number == 2)
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) - cut] + (b"\x00nonsense\n" if nonsense else b""))
        with open_pages(path) as pages:
            pages.begin({"link": "x", "title": None, "state": "one"})
            for number in range(pages.entries, 3):
                assert not pages.ended
                pages.add([{"spotify_id": str(number)}], ended=number == 2)
            assert pages.ended
        assert path.read_bytes() == whole


def test_one_process_at_a_time_adds_to_a_list(tmp_path: Path) -> None:
    path = tmp_path / "list.part"
    with open_pages(path), pytest.raises(SpotifyError, match="by another job") as caught, open_pages(path):
        pass
    assert caught.value.retryable


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    [
                        "id",
                        "name",
                        "type",
                        "artists",
                        "album",
                        "external_ids",
                        "isrc",
                        "duration_ms",
                        "linked_from",
                    ]
                ),
                inner,
                max_size=6,
            )
        ),
        max_leaves=20,
    )
)
def test_no_answer_of_any_shape_is_a_crash(item: Any) -> None:
    found = track_of(item)
    assert found is None or (found["title"] and len(found["spotify_id"]) == 22)
