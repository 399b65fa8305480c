"""From a Spotify link to tracks: the whole house, with a Spotify of our own on loopback."""

from __future__ import annotations

import logging
import sys
import threading
import time
import urllib.request
import webbrowser
from collections.abc import Iterator
from pathlib import Path

import mutagen
import pytest
import soundfile

import soundforge_nb as sf
from soundforge_nb import cli
from soundforge_nb.errors import InputError, SpotifyError, UsageError
from soundforge_nb.forge import spotify as signing

sys.path.insert(0, str(Path(__file__).parents[1] / "spotify"))

from spotify_server import CLIENT_ID, CLIENT_SECRET, SpotifyServer, spotify_id, spotify_server, track

ALBUM, PLAYLIST = "4" * 22, "5" * 22
ALBUM_URL, PLAYLIST_URL = (
    f"https://open.spotify.com/intl-de/album/{ALBUM}?si=x",
    f"https://open.spotify.com/playlist/{PLAYLIST}",
)


@pytest.fixture(scope="module")
def spotify() -> Iterator[SpotifyServer]:
    with spotify_server() as server:
        yield server


@pytest.fixture(scope="module")
def settings(spotify: SpotifyServer) -> dict[str, object]:
    return {
        "spotify_client_id": CLIENT_ID,
        "spotify_client_secret": CLIENT_SECRET,
        "spotify_api_url": spotify.url,
        "spotify_accounts_url": spotify.url,
        "spotify_redirect_port": 18_898,
    }


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory, settings: dict[str, object]) -> Iterator[sf.Forge]:
    folder = tmp_path_factory.mktemp("asking") / "data"
    with sf.connect(data_folder=folder, **settings) as forge:
        yield forge
    assert cli.main(["stop", "--data-folder", str(folder)]) == 0


def agree(spotify: SpotifyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser whose person says yes."""

    def browse(url: str) -> bool:
        address = spotify.agree(url)
        icon = address.partition("/callback")[0] + "/favicon.ico"

        def come_back() -> None:
            for wanted in (icon, address):
                try:
                    urllib.request.urlopen(wanted, timeout=10).read()
                except urllib.error.HTTPError as error:
                    error.close()

        threading.Thread(target=come_back).start()
        return True

    monkeypatch.setattr(webbrowser, "open", browse)


@pytest.mark.timeout(120)
def test_an_album_becomes_tracks(asking: sf.Forge, spotify: SpotifyServer, song, tmp_path: Path) -> None:
    spotify.albums[ALBUM] = [track(number) for number in range(60)]
    spotify.faults[f"/v1/albums/{ALBUM}"] = [lambda request: request.fail(429, "", None, Retry_After="1")]
    spotify.tracks[spotify_id(3)] = track(3)
    file = song(tmp_path / "mine.wav", seconds=1.0)
    added = asking.add(file, ALBUM_URL, f"spotify:track:{spotify_id(3)}")
    assert len(added) == 62
    assert added.rejected == []
    assert added[0].title == "mine"
    album = added[1:61]
    assert [one.title for one in album] == [f"Song {number}" for number in range(60)]
    assert (album[3].artist, album[3].album, album[3].pending) == ("Ada, Bob", "Works", True)
    # The track by itself is the same one.
    assert added[61].track_id == album[3].track_id
    assert album.names[3] == f"https://open.spotify.com/track/{spotify_id(3)}"
    # The wait that Spotify asked for cost no attempt.
    (job,) = asking.sql(
        f"SELECT state, attempt, max_attempts FROM jobs WHERE args->>'link' = 'spotify:album:{ALBUM}'"
    ).dicts()
    assert job == {"state": "completed", "attempt": 2, "max_attempts": 4}
    asked = len(spotify.seen)
    again = asking.add(ALBUM_URL)
    assert [one.track_id for one in again] == [one.track_id for one in album]
    assert len(spotify.seen) == asked

    batch = asking.process(again[:2], analyze=["energy"])
    assert batch.wait(60, progress=False)
    assert set(batch.account()["status"]) == {"failed"}
    (sentence, *_) = batch.errors()["error"]
    assert sentence.startswith(f"{again.names[0]} is known from Spotify, which gives no audio")
    # A person reads what it is called, as long as that is kept.
    assert batch.errors()["title"][0] == "Song 0"
    assert "Add your own file" in sentence
    assert asking.jobs(batch).empty


@pytest.mark.timeout(120)
def test_an_artist_becomes_the_tracks_of_their_records(asking: sf.Forge, spotify: SpotifyServer) -> None:
    """Albums and singles, each recording once; Spotify's patience in the middle costs nothing."""
    artist = "7" * 22
    spotify.artists[artist] = [("album", "a" * 22), ("single", "b" * 22), ("appears_on", "c" * 22)]
    spotify.albums["a" * 22] = [track(number) for number in range(700, 760)]
    spotify.albums["b" * 22] = [
        track(760, name="Song 700", duration_ms=180_700, external_ids=track(700)["external_ids"]),
        track(761),
    ]
    spotify.albums["c" * 22] = [track(762)]
    spotify.tracks |= {one["id"]: one for albums in "ab" for one in spotify.albums[albums * 22]}
    spotify.faults[f"/v1/albums/{'b' * 22}/tracks"] = [lambda r: r.fail(429, "", None, Retry_After="1")]
    added = asking.add(f"https://open.spotify.com/intl-de/artist/{artist}?si=x")
    assert [one.title for one in added] == [f"Song {number}" for number in (*range(700, 760), 761)]
    assert added.rejected == []
    (note,) = added.notes
    assert note == (
        f"https://open.spotify.com/artist/{artist}: 62 entries are 61 recordings, each came once."
    )
    assert note in repr(added)
    assert note in added._repr_html_()
    assert spotify.requests(f"/v1/albums/{'a' * 22}/tracks") == 2


def tagged(path: Path, song, seed: int, **tags: str) -> Path:
    """A song as a FLAC with tags."""
    samples, rate_hz = soundfile.read(song(path.with_suffix(".wav"), seconds=2.0, seed=seed))
    soundfile.write(path, samples, rate_hz)
    path.with_suffix(".wav").unlink()
    file = mutagen.File(path)
    for name, value in tags.items():
        file[name] = value
    file.save()
    return path


@pytest.mark.timeout(120)
def test_own_files_go_first(asking: sf.Forge, spotify: SpotifyServer, song, tmp_path: Path) -> None:
    """A song that is here is that file, whichever came first, and it is the file that is worked on."""
    for number, name in ((501, "Before"), (502, "After"), (503, "Never")):
        told = track(number, name=name, duration_ms=2000)
        spotify.tracks[spotify_id(number)] = told
    links = [f"https://open.spotify.com/track/{spotify_id(number)}" for number in (501, 502, 503)]
    before = tagged(tmp_path / "a.flac", song, 31, isrc="DEA100000501", title="Otherwise named")
    (mine,) = asking.add(before)
    first, second, third = asking.add(links)
    assert first.track_id == mine.track_id
    assert (first.match_score, first.match_reason) == (1.0, "the same ISRC")
    assert "(your file, 100%: the same ISRC)" in repr(asking.add(links[0]))
    assert second.pending
    assert third.pending

    after = tagged(tmp_path / "b.flac", song, 32, title="After", artist="Ada")
    (mine,) = asking.add(after)
    batch = asking.process([first, second, third], analyze=["energy"])
    assert batch.wait(90, progress=False)
    rows = batch.account()[["status", "sentence"]].values.tolist()
    assert [status for status, _ in rows] == ["done", "done", "failed"]
    assert f"{links[2]} is known from Spotify, which gives no audio" in rows[2][1]
    results = {
        row["track_id"] for row in batch.results().to_dict("records") if row["energy"] == row["energy"]
    }
    assert results == {first.track_id, mine.track_id}
    # The id of before leads to the file, and so does the link.
    assert asking.add(links[1])[0].track_id == mine.track_id
    assert asking.analysis(second)["track_id"] == mine.track_id
    (row,) = asking.sql(f"FROM spotify_matches WHERE track_id = '{mine.track_id}'").dicts()
    assert row["reason"] == "title, artist and length"
    assert 0.9 < row["score"] <= 1


@pytest.mark.timeout(120)
def test_a_person_says_which_file_a_song_is(
    asking: sf.Forge, spotify: SpotifyServer, song, tmp_path: Path, capsys
) -> None:
    """A match is undone for good, and made by hand; from a shell too."""
    spotify.tracks[spotify_id(511)] = track(511, name="Alike", duration_ms=2000)
    link = f"https://open.spotify.com/track/{spotify_id(511)}"
    file = tagged(tmp_path / "alike.flac", song, 41, title="Alike", artist="Ada")
    other = tagged(tmp_path / "other.flac", song, 42, title="Quite another", artist="Eve")
    asking.add(file, other)
    (found,) = asking.add(link)
    assert found.match_reason == "title, artist and length"
    apart = asking.unmatch(found)
    assert apart.names == [link]
    assert (apart[0].title, apart[0].pending, apart[0].match_score) == ("Alike", True, None)
    batch = asking.process(apart, analyze=["energy"])
    assert batch.wait(60, progress=False)
    assert "no file of yours is it" in batch.errors()["error"][0]
    assert asking.add(link)[0].pending
    with pytest.raises(InputError, match="was taken for nothing"):
        asking.unmatch(file)

    mine = asking.match(link, other)
    assert (mine.title, mine.match_score, mine.match_reason) == ("Quite another", 1.0, "by hand")
    assert asking.add(link)[0].track_id == mine.track_id
    folder = ["--data-folder", str(asking.config.data_folder)]
    assert cli.main(["unmatch", link, *folder]) == 0
    assert "1 track\n  Alike  Ada, Bob  0:02" in capsys.readouterr().out
    assert cli.main(["match", link, str(file), *folder]) == 0
    assert "Alike  Ada  0:02  (your file, 100%: by hand)" in capsys.readouterr().out
    assert cli.main(["unmatch", str(other), *folder]) == 1
    assert "was taken for nothing" in capsys.readouterr().err
    assert cli.main(["match", "https://open.spotify.com/album/x", str(file), *folder]) == 2
    assert "is not one track" in capsys.readouterr().err


@pytest.mark.timeout(120)
def test_a_playlist_wants_a_person(
    asking: sf.Forge, spotify: SpotifyServer, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    spotify.playlists[PLAYLIST] = [track(1), None, track(2), track(1)]
    refused = asking.add(PLAYLIST_URL)
    assert len(refused) == 0
    assert "forge.sign_in_to_spotify()" in str(refused.rejected[0])
    agree(spotify, monkeypatch)
    asking.sign_in_to_spotify()
    assert "Signed in" in capsys.readouterr().err
    added = asking.add(PLAYLIST_URL)
    assert [one.title for one in added] == ["Song 1", "Song 2"]
    (left_out,) = added.rejected
    assert left_out.reason.startswith(f"{PLAYLIST_URL}, entry 2, is not available any more.")
    asking.sign_out_of_spotify()
    # What was read lately is not asked for again; a playlist is read anew after a minute.
    assert len(asking.add(PLAYLIST_URL)) == 2


def test_an_address_is_pasted_where_there_is_no_browser(
    asking: sf.Forge, spotify: SpotifyServer, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    def paste(prompt: str) -> str:
        url = capsys.readouterr().err.strip().splitlines()[-1]
        return spotify.agree(url)

    monkeypatch.setattr("builtins.input", paste)
    asking.sign_in_to_spotify(headless=True)
    monkeypatch.setattr("builtins.input", lambda prompt: "http://127.0.0.1:18898/callback?code=x&state=y")
    with pytest.raises(SpotifyError, match="not the address of a sign-in"):
        asking.sign_in_to_spotify(headless=True)

    def nobody(prompt: str) -> str:
        raise EOFError

    monkeypatch.setattr("builtins.input", nobody)
    with pytest.raises(UsageError, match="nobody here to paste"):
        asking.sign_in_to_spotify(headless=True)


def test_nobody_comes_back(asking: sf.Forge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webbrowser, "open", lambda url: False)
    monkeypatch.setattr(signing, "WAIT_SECONDS", 0.2)
    with pytest.raises(SpotifyError, match="Nobody signed in"):
        asking.sign_in_to_spotify()


@pytest.mark.parametrize(
    ("link", "sentence"),
    [
        ("spotify:track:" + "9" * 22, "has nothing there (404)"),
        ("spotify:artist:" + "9" * 22, "has nothing there (404)"),
        ("https://open.spotify.com/track/short?si=1", "is damaged"),
    ],
)
def test_what_has_no_tracks_is_a_sentence(asking: sf.Forge, link: str, sentence: str) -> None:
    added = asking.add(link)
    assert len(added) == 0
    assert sentence in str(added.rejected[0])


def test_what_is_no_link_makes_no_job(asking: sf.Forge, spotify: SpotifyServer) -> None:
    """Read without a network: a short link, a damaged one, one of a page without tracks."""
    jobs, seen = len(asking.jobs()), len(spotify.seen)
    links = [
        *("https://spotify.link/abc", "https://open.spotify.com/track/short", "spotify:show:" + "1" * 22),
        *("spotify:track:" + "1" * 21, "https://open.spotify.com/search/x", "spotify:"),
    ]
    added = asking.add(links)
    assert (len(added), len(added.rejected)) == (0, len(links))
    assert "short link" in added.rejected[0].reason
    assert (len(asking.jobs()), len(spotify.seen)) == (jobs, seen)


def test_without_a_client_it_is_said_what_to_do(forge: sf.Forge) -> None:
    (refused,) = forge.add(ALBUM_URL).rejected
    assert "SPOTIPY_CLIENT_ID" in str(refused)


@pytest.mark.timeout(120)
def test_a_song_is_looked_for_where_that_is_allowed(
    own_folder: Path, spotify: SpotifyServer, settings: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """By spotdl's command line, which a stand-in takes; what it leaves is judged, and goes the whole way."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1] / "programs" / "stand_ins"))
    for number, name in ((601, "The song"), (602, "missing"), (603, "another")):
        spotify.tracks[spotify_id(number)] = track(number, name=name, duration_ms=3000)
    links = [f"https://open.spotify.com/track/{spotify_id(number)}" for number in (601, 602, 603)]
    with sf.connect(data_folder=own_folder, downloads="allowed", **settings) as forge:
        tracks = forge.add(links)
        batch = forge.process(tracks, analyze=["energy"])
        assert batch.wait(100, progress=False)
        rows = batch.account()
        status = {(name[-3:], step): what for name, step, what in rows[["name", "step", "status"]].values}
        assert [status[(number, "download")] for number in ("601", "602", "603")] == [
            "done",
            "failed",
            "failed",
        ]
        assert status[("601", "analyze")] == "done"
        told = dict(rows[rows["step"] == "download"][["name", "sentence"]].values)
        assert told[links[1]].startswith(f"No recording was found for {links[1]}.")
        assert "lasts 60 s, the track 3 s: another recording" in told[links[2]]
        (file,) = [path for path in forge.config.downloads_folder.rglob("*") if path.is_file()]
        assert file.name == f"spotify track {spotify_id(601)}.flac"
        tags = mutagen.File(file)
        assert (tags["artist"], tags["isrc"]) == (["Ada, Bob"], ["DEA100000601"])
        (row,) = forge.tracks().query("path == path").to_dict("records")
        assert (row["title"], row["artist"], row["track_id"]) == ("The song", "Ada, Bob", tracks[0].track_id)
        assert not list(forge.config.staging_folder.rglob("*.*"))


@pytest.mark.timeout(150)
def test_an_album_goes_the_whole_way_in_one_batch(
    own_folder: Path, spotify: SpotifyServer, settings: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Download, then separate and analyze, track by track: one batch, one account, and bars for all three."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1] / "programs" / "stand_ins"))
    album = "8" * 22
    spotify.albums[album] = [
        track(number, name=f"A song {number}", duration_ms=3000) for number in (901, 902)
    ]
    with sf.connect(data_folder=own_folder, downloads="allowed", **settings) as forge:
        forge.pause("processing")
        tracks = forge.add(f"https://open.spotify.com/album/{album}")
        batch = forge.process(tracks, separate="demo", analyze=["energy"])
        jobs = forge.jobs(batch)
        assert forge.wait(jobs[jobs["kind"] == "download_track"]["job_id"].astype(str), 100)
        shown = forge.call("dashboard")["pipelines"]
        assert {pipeline["title"] for pipeline in shown} == {"A song 901", "A song 902"}
        for pipeline in shown:
            states = {step["kind"]: step["state"] for step in pipeline["steps"]}
            assert list(states) == ["download_track", "separate_stems", "analyze_track"]
            assert states["download_track"] == "completed"
            assert states["separate_stems"] == "available"
        forge.resume("processing")
        assert batch.wait(100, progress=False)
        rows = batch.account()
        done = {(name, step): what for name, step, what in rows[["name", "step", "status"]].values}
        assert done == {
            (name, step): "done" for name in tracks.names for step in ("download", "separate", "analyze")
        }
        assert all(len(forge.stems(one)) == 4 for one in tracks)
        assert batch.results()["title"].tolist() == ["A song 901", "A song 902"]


def every_row(forge: sf.Forge) -> dict[str, str]:
    """All that the store holds, as text, by table."""
    tables = forge.sql("SELECT table_name FROM information_schema.tables WHERE table_schema = 'main'").dicts()
    return {row["table_name"]: str(forge.sql(f"FROM {row['table_name']}").dicts()) for row in tables}


@pytest.mark.timeout(150)
def test_what_spotify_said_expires_and_is_in_no_export(
    own_folder: Path,
    spotify: SpotifyServer,
    settings: dict[str, object],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    song,
) -> None:
    """Planted words: in tables of their own for a time, then nowhere; never in jobs, batches, exports, logs.

    But for a file that was fetched: what it says of itself is its own.
    """
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1] / "programs" / "stand_ins"))
    fetched, missing, mine = (spotify_id(number) for number in (801, 802, 803))
    for one, word in ((fetched, "W0rdsFetched song"), (missing, "W0rds missing"), (mine, "Mine")):
        told = track(int(one), name=word, duration_ms=2000, external_ids={})
        spotify.tracks[one] = told | {"artists": [{"name": "W0rdsArtist"}], "album": {"name": "W0rdsAlbum"}}
    spotify.tracks[mine] |= {"external_ids": {"isrc": "DEA100000803"}, "name": "W0rds mine"}
    links = [f"https://open.spotify.com/track/{one}" for one in (fetched, missing, mine)]
    own = tagged(tmp_path / "own.flac", song, 33, isrc="DEA100000803", title="My own", artist="Me")
    output = tmp_path / "output"
    with sf.connect(data_folder=own_folder, downloads="allowed", **settings) as forge:
        forge.add(own)
        tracks = forge.add(links)
        assert "W0rds missing" in repr(tracks)
        batch = forge.process(list(tracks), analyze=["energy"], output_folder=output)
        assert batch.wait(100, progress=False)
        failed = batch.errors()
        assert (failed["name"][0], failed["title"][0]) == (links[1], "W0rds missing")
        rows = every_row(forge)
        assert {name for name, text in rows.items() if "W0rds" in text} == {"spotify_tracks", "tracks"}
        assert "W0rds missing" not in rows["tracks"]
        assert "W0rds mine" not in rows["tracks"]
        manifest = (output / "manifest.json").read_text()
        assert "My own" in manifest
        assert links[1] in manifest
        assert "W0rds" not in manifest.replace("W0rdsFetched song/", "")
    assert cli.main(["stop", "--data-folder", str(own_folder)]) == 0

    with sf.connect(data_folder=own_folder, spotify_metadata_days=1e-6, **settings) as forge:
        until = time.monotonic() + 30
        while forge.sql("FROM spotify_tracks").dicts():
            assert time.monotonic() < until
            time.sleep(0.1)
        rows = every_row(forge)
        assert {name for name, text in rows.items() if "W0rds" in text} == {"tracks"}
        assert forge.tracks().set_index("link")["title"][links[1]] == f"spotify:track:{missing}"
        assert set(forge.batch(batch.batch_id).errors()["title"]) == {f"spotify:track:{missing}"}
    assert cli.main(["stop", "--data-folder", str(own_folder)]) == 0
    # The store was asked for its rows: what it freed it overwrites in its own time.
    files = [file for file in own_folder.rglob("*") if file.is_file() and file.suffix != ".duckdb"]
    holding = [
        file for file in files if any(word in file.read_bytes() for word in (b"W0rds missing", b"W0rds mine"))
    ]
    assert holding == []


@pytest.mark.timeout(150)
def test_a_large_playlist_outlives_the_application_and_no_secret_is_left(
    own_folder: Path,
    spotify: SpotifyServer,
    settings: dict[str, object],
    application,
    monkeypatch,
    caplog,
    capfd,
) -> None:
    """Killed in the middle of 10,000 entries, it goes on where it was; all that is left is searched."""
    caplog.set_level(logging.DEBUG)
    spotify.playlists[PLAYLIST] = [track(number) for number in range(10_000)]
    items = f"/v1/playlists/{PLAYLIST}/items"
    reached = threading.Event()

    def hold(request) -> None:
        reached.set()
        request._catalogue(["playlists", PLAYLIST, "items"], spotify.queries[-1])

    before = spotify.requests(items)
    spotify.faults[items] = [None] * 60 + [hold]
    with sf.connect(data_folder=own_folder, **settings) as forge:
        agree(spotify, monkeypatch)
        forge.sign_in_to_spotify()
        result: list[sf.TrackList] = []
        adding = threading.Thread(target=lambda: result.append(forge.add(PLAYLIST_URL)))
        adding.start()
        assert reached.wait(60)
        for process in application(own_folder).everyone():
            process.kill()
        # The client finds that it is gone, starts another, and goes on waiting.
        adding.join(100)
        assert not adding.is_alive()
        (tracks,) = result
        assert len(tracks) == len({one.track_id for one in tracks}) == 10_000
        assert [one.title for one in tracks[9_998:]] == ["Song 9998", "Song 9999"]
        # Pages that were read are not asked for again, but for one under way at the kill.
        assert spotify.requests(items) - before <= 202
        told = [repr(tracks), repr(forge), repr(forge.config), str(forge.status())]
        told += [str(forge.sql(f"SELECT * FROM {name}").dicts()) for name in ("jobs", "attempts", "settings")]
        folder = own_folder / "spotify"
        assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}
        command_lines = [" ".join(process.cmdline()) for process in application(own_folder).everyone()]
    assert cli.main(["stop", "--data-folder", str(own_folder)]) == 0
    assert "Pl4nted" not in "".join(told + command_lines) + caplog.text
    found = [
        file
        for file in own_folder.rglob("*")
        if file.is_file() and file.parent != folder and b"Pl4nted" in file.read_bytes()
    ]
    assert found == []
