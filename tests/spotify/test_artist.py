"""An artist is the tracks of their albums and singles, each recording once, on from where a kill left it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from spotify_server import Killed, SpotifyServer, spotify_id, track

from soundforge_nb.errors import SpotifyError
from soundforge_nb.spotify.pages import open_pages
from soundforge_nb.spotify.reading import read_all
from soundforge_nb.spotify.urls import SpotifyLink

ARTIST_ID = "6" * 22
ARTIST = SpotifyLink("artist", ARTIST_ID)
ALBUMS = f"/v1/artists/{ARTIST_ID}/albums"
Read = Callable[..., list[dict[str, Any]]]


def album(number: int) -> str:
    return f"{number:021d}A"


def publish(spotify: SpotifyServer, number: int, tracks: list[Any], group: str = "album") -> None:
    spotify.artists.setdefault(ARTIST_ID, []).append((group, album(number)))
    spotify.albums[album(number)] = tracks
    spotify.tracks |= {one["id"]: one for one in tracks}


def numbers(entries: list[dict[str, Any]]) -> list[int]:
    return [int(entry["spotify_id"]) for entry in entries]


def test_an_artist_is_their_albums_and_singles(spotify: SpotifyServer, read: Read) -> None:
    """Of several pages of albums, and of an album of several pages; nothing that they are guests on."""
    publish(spotify, 0, [track(number) for number in range(120)])
    for number in range(1, 25):
        publish(spotify, number, [track(1000 + number)], "single" if number > 12 else "album")
    publish(spotify, 90, [track(9000)], "appears_on")
    publish(spotify, 91, [track(9001)], "compilation")
    entries = read(ARTIST)
    assert numbers(entries) == [*range(120), *range(1001, 1025)]
    assert entries[0]["album"] == "Record 00A"
    assert spotify.requests(ALBUMS) == 3
    # Nothing looks like anything else: no track is asked for by itself.
    assert not [path for path in spotify.seen if path.startswith("/v1/tracks/")]


def test_a_recording_on_several_records_comes_once(spotify: SpotifyServer, read: Read) -> None:
    publish(spotify, 1, [track(1), track(2), track(3)])
    again = {"name": "song 2", "duration_ms": 181_000}
    publish(
        spotify,
        2,
        [
            # The single of a song on the album; a new recording of it, as long; a live one; another song.
            track(20, **again, external_ids=track(2)["external_ids"]),
            track(21, **again),
            track(22, name="Song 2", duration_ms=400_000),
            track(23),
        ],
        "single",
    )
    publish(spotify, 3, [track(30, **again, external_ids=track(21)["external_ids"])], "single")
    entries = read(ARTIST)
    assert numbers(entries) == [1, 2, 3, 2, 21, 22, 23, 21]
    # What was learnt by asking helps to find one's own file.
    assert entries[3]["isrc"] == "DEA100000002"
    assert entries[3]["album"] == "Record 01A"
    asked = [path for path in spotify.seen if path.startswith("/v1/tracks/")]
    assert asked == [f"/v1/tracks/{spotify_id(number)}" for number in (20, 2, 21, 30)]


def test_what_can_t_be_told_apart_stays(spotify: SpotifyServer, read: Read) -> None:
    """Without an ISRC, or gone meanwhile: a guess would lose songs."""
    publish(spotify, 1, [track(1, external_ids={}), track(2, name="Song 1")])
    publish(spotify, 2, [track(3, name="Song 1")])
    del spotify.tracks[spotify_id(2)]
    assert numbers(read(ARTIST)) == [1, 2, 3]


def test_it_goes_on_after_each_kill(spotify: SpotifyServer, read: Read) -> None:
    """Nothing that was answered is asked again, and the outcome is the same."""
    for number in range(23):
        tracks = [track(number * 100 + one) for one in range(60 if number == 5 else 3)]
        single = track(50_000 + number, name=tracks[0]["name"], duration_ms=tracks[0]["duration_ms"])
        publish(spotify, number, tracks)
        publish(spotify, 100 + number, [single | {"external_ids": tracks[0]["external_ids"]}], "single")
    kills = 0
    while True:
        try:
            entries = read(ARTIST, killed_after=3)
            break
        except Killed:
            kills += 1
    assert kills > 10
    whole = len(spotify.seen)
    assert len(entries) == 22 * 3 + 60 + 23
    assert len(set(numbers(entries))) == 22 * 3 + 60
    asked = [str(question) for question in zip(spotify.seen, spotify.queries, strict=True)]
    assert len(asked) == len(set(asked))
    # It has ended: another attempt asks nothing.
    assert read(ARTIST) == entries
    assert len(spotify.seen) == whole


def test_patience_in_the_middle_loses_nothing(spotify: SpotifyServer, read: Read) -> None:
    for number in range(3):
        publish(spotify, number, [track(number)])
    place = f"/v1/albums/{album(1)}/tracks"
    spotify.faults[place] = [lambda request: request.fail(429, "", None, Retry_After="7")]
    with pytest.raises(SpotifyError) as caught:
        read(ARTIST)
    assert caught.value.details["wait_seconds"] == 7.0
    assert numbers(read(ARTIST)) == [0, 1, 2]
    assert spotify.requests(f"/v1/albums/{album(0)}/tracks") == 1


def test_an_album_that_is_gone_has_its_reason(spotify: SpotifyServer, read: Read) -> None:
    for number in range(3):
        publish(spotify, number, [track(number)])
    del spotify.albums[album(1)]
    entries = read(ARTIST)
    assert [entry.get("refusal") for entry in entries] == [
        *(None, "is an album that is not available any more", None)
    ]


def test_nobody_and_nothing(spotify: SpotifyServer, read: Read) -> None:
    with pytest.raises(SpotifyError) as caught:
        read(ARTIST)
    assert caught.value.kind == "not_found"
    spotify.artists[ARTIST_ID] = []
    assert read(ARTIST) == []


def test_a_list_that_names_a_next_page_for_ever_ends(tmp_path: Path) -> None:
    """Of albums: Spotify's has done so, where groups were chosen."""

    class Endless:
        def artist_page(self, spotify_id: str, offset: int) -> dict[str, Any]:
            items = [{"id": album(number), "name": "x"} for number in range(min(offset, 15), 15)]
            return {"items": items or [None, {"id": "../x"}, {"id": album(3)}], "next": "more"}

        def album_page(self, wanted: str, offset: int) -> dict[str, Any]:
            return {"items": [track(int(wanted[:-1]))], "next": None}

    with open_pages(tmp_path / "x.part") as pages:
        read_all(ARTIST, Endless(), pages, lambda percent, message: None)  # type: ignore[arg-type]
        assert pages.entries == 15
