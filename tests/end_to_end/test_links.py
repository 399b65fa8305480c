"""From a link to stems, analyses and rows: one batch, one account, whatever becomes of each link."""

from __future__ import annotations

import json
import logging
import os
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import mutagen
import pytest
import soundfile
from web import Request, Web, file_answer, web_server

import soundforge_nb as sf
from soundforge_nb import cli

SPOTIFY = "https://open.spotify.com/track/6rqhFgbbKwnb9MLmUQDhG6?si=1"


@pytest.fixture(scope="module")
def web() -> Iterator[Web]:
    with web_server() as made:
        yield made


@pytest.fixture(scope="module")
def linked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sf.Forge]:
    """An application that follows links to this machine."""
    folder = tmp_path_factory.mktemp("linked") / "data"
    with sf.connect(data_folder=folder, private_addresses="allowed") as forge:
        yield forge
    assert cli.main(["stop", "--data-folder", str(folder)]) == 0


def account(batch: sf.Batch) -> dict[tuple[str, str], str]:
    rows = batch.account()
    return {
        (name.rpartition("/")[2], step): status
        for name, step, status in zip(rows["name"], rows["step"], rows["status"], strict=True)
    }


@pytest.mark.timeout(150)
def test_a_link_goes_the_whole_way_and_is_fetched_once(
    linked: sf.Forge, web: Web, song, tmp_path: Path
) -> None:
    content = song(tmp_path / "song.wav", seconds=4.0).read_bytes()
    link = web.serve("/A%20song.wav", file_answer(content, upto=100_000))
    words = web.serve("/words.mp3", file_answer(b"no music at all\n" * 100))
    tracks = linked.add(link, web.url + "/nowhere.mp3", words, "ftp://host/x.mp3", SPOTIFY, link)
    assert [(track.title, track.pending) for track in tracks] == [
        ("A song", True),
        ("nowhere", True),
        ("words", True),
    ]
    assert [entry.name for entry in tracks.rejected] == ["ftp://host/x.mp3", SPOTIFY.partition("?")[0]]
    assert linked.jobs().empty
    assert web.seen == []

    batch = linked.process(tracks, separate="demo", analyze=["energy"], analyze_stems=["energy"])
    assert batch.wait(120, progress=False)
    found = account(batch)
    steps = ("download", "separate", "analyze", "analyze_stems")
    assert [found[("A%20song.wav", step)] for step in steps] == ["done"] * 4
    assert {found[(name, step)] for name in ("nowhere.mp3", "words.mp3") for step in steps} == {"failed"}
    assert any("is not there: the server answered 404" in text for text in batch.errors()["error"])

    (row,) = [row for row in batch.results().to_dict("records") if row["title"] == "A song"]
    assert set(row["stems"]) == {"vocals", "drums", "bass", "other"}
    assert row["energy"] > 0
    downloads = linked.config.downloads_folder
    (file,) = [path for path in downloads.rglob("*") if path.is_file()]
    assert file == downloads / row["track_id"] / "A song.wav"
    assert file.read_bytes() == content
    assert not list(linked.config.partial_folder.iterdir())
    assert [headers.get("Range") for path, headers in web.seen if "song" in path] == [None, "bytes=100000-"]

    again = linked.process(linked.add(link), separate="demo", analyze=["energy"], analyze_stems=["energy"])
    assert again.wait(60, progress=False)
    assert set(account(again).values()) == {"reused"}
    # Removed by somebody, it is fetched again, for what is new alone.
    file.unlink()
    more = linked.process(link, analyze=["key"])
    assert more.wait(60, progress=False)
    assert account(more) == {("A%20song.wav", step): "done" for step in ("download", "analyze")}
    assert file.read_bytes() == content


def hunted(folder: Path, secrets: list[bytes], spared: Path) -> list[str]:
    """Every file of a data folder that holds a secret, its name included; `spared` is where they may lie."""
    found = []
    for file in folder.rglob("*"):
        content = file.read_bytes() if file.is_file() and file.parent != spared else b""
        found += [str(file) for secret in secrets if secret in content or secret in os.fsencode(file)]
    return found


HOSTILE = [
    *(
        "../../../escaped",
        "/tmp/escaped",
        "a\0b",
        "x" * 300,
        "…" * 300,
        "CON",
        "..",
        "a/../../b",
        "~root",
        "-rf",
    ),
    *("C:\\\\escaped", "\u202egpj.exe", "a\nb", " ", "."),
]


def named_in_a_tag(path: Path, title: str) -> bytes:
    file = mutagen.File(path)
    file["title"] = title
    file.save()
    return path.read_bytes()


@pytest.mark.timeout(150)
def test_no_name_leads_out_of_the_data_folder(own_folder: Path, web: Web, song, tmp_path: Path) -> None:
    """In a tag, in what the server calls the file, in the link's own path; nor a link that is in the way."""
    samples, rate_hz = soundfile.read(song(tmp_path / "song.wav", seconds=1.0))
    links = []
    for number, name in enumerate(HOSTILE):
        # Each of other bytes: the same would be one track.
        soundfile.write(tmp_path / "song.flac", samples * (1 - number / 100), rate_hz)
        content = named_in_a_tag(tmp_path / "song.flac", name)
        said = quote(name.encode("utf-8", "replace"))

        def answer(request: Request, content: bytes = content, said: str = said) -> None:
            request.say(200, content, Content_Disposition=f"attachment; filename*=UTF-8''{said}.flac")

        path = f"/{number}/{quote(said, safe='')[:1000]}.flac"
        links.append(web.serve(path, answer))
    before = {path for path in tmp_path.rglob("*") if own_folder not in path.parents}
    with sf.connect(data_folder=own_folder, private_addresses="allowed") as forge:
        tracks = forge.add(links)
        downloads = forge.config.downloads_folder
        batch = forge.process(tracks, analyze=["energy"], output_folder=tmp_path / "out")
        assert batch.wait(120, progress=False)
        assert batch.errors()["error"].tolist() == []
        files = [path for path in downloads.rglob("*") if path.is_file()]
        assert len(files) == len(HOSTILE)
        assert {path.parent.parent for path in files} == {downloads}
        assert all(path.suffix == ".flac" and len(os.fsencode(path.name)) <= 255 for path in files)
        outputs = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
        assert len(outputs) == len(HOSTILE) + 1
        assert {path.parent.parent for path in outputs if path.name != "manifest.json"} == {tmp_path / "out"}

        # A link in the place of a track's folder: nothing is written through it.
        (tmp_path / "elsewhere").mkdir()
        (victim,) = forge.add(web.serve("/victim.wav", file_answer(song(tmp_path / "v.wav").read_bytes())))
        (downloads / victim.track_id).symlink_to(tmp_path / "elsewhere")
        batch = forge.process(victim, analyze=["energy"])
        assert batch.wait(90, progress=False)
        assert "nothing is written through it" in batch.errors()["error"][0]
        assert list((tmp_path / "elsewhere").iterdir()) == []
    after = {path for path in tmp_path.rglob("*") if own_folder not in path.parents}
    new = {path.relative_to(tmp_path).parts[0] for path in after - before}
    assert new <= {"out", "elsewhere", "v.wav", "data"}
    assert not Path("/tmp/escaped.flac").exists()


@pytest.mark.timeout(150)
def test_no_key_of_a_link_is_anywhere_but_in_its_own_file(
    own_folder: Path, web: Web, song, tmp_path: Path, caplog, capfd
) -> None:
    """Secrets planted in every part of links that may hold one, looked for in all that is left of them."""
    caplog.set_level(logging.DEBUG)
    key = "Pl4nted" + secrets.token_hex(8)
    content = song(tmp_path / "song.wav", seconds=2.0).read_bytes()
    good, gone = f"/good.wav?sig={key}&u=1", f"/gone.wav?{key}"
    waits = [429]

    def busy_once(request: Request) -> None:
        if waits:
            request.say(waits.pop(), Retry_After="1")
        else:
            file_answer(content)(request)

    web.serve("/good.wav", busy_once)
    web.serve("/gone.wav", lambda request: request.wfile.write(f"HTTP/1.1 404 {key}\r\n\r\n".encode()))
    host = web.url.removeprefix("http://")
    refused = [
        f"http://ann:{key}@{host}/a.wav",
        f"http://{key}@{host}/a.wav",
        f"ftp://ann:{key}@host/a.wav?{key}#{key}",
        f"https://open.spotify.com/episode/x?si={key}",
        f"https:///a.wav?{key}",
    ]
    words: list[str] = []
    with sf.connect(data_folder=own_folder, private_addresses="allowed") as forge:
        links = [web.url + good + f"#{key}", web.url + gone, *refused]
        tracks = forge.add(*links)
        words += [repr(tracks), tracks._repr_html_(), *tracks.names, tracks.df().to_json(), repr(tracks[0])]
        words += [str(vars(entry)) for entry in tracks.rejected]
        assert (len(tracks), len(tracks.rejected)) == (2, 5)
        assert tracks[0].link == f"{web.url}/good.wav?…"
        kept = forge.config.links_folder
        # Of the two tracks, and the secret that their marks are made with.
        assert len(list(kept.iterdir())) == 3

        batch = forge.process(tracks, analyze=["energy"], output_folder=tmp_path / "out")
        assert batch.wait(90, progress=False)
        found = account(batch)
        assert found["good.wav?…", "analyze"] == "done"
        assert found["gone.wav?…", "download"] == "failed"
        words += [repr(batch), batch._repr_html_(), batch.account().to_json(), batch.errors().to_json()]
        words += [json.dumps(batch.snapshot(), default=str), batch.results().to_json()]
        words += [json.dumps(forge.job(job_id), default=str) for job_id in batch.snapshot()["job_ids"]]
        words += [repr(forge.dashboard()), json.dumps(forge.status(), default=str)]
        (download,) = [
            job
            for job in map(forge.job, batch.snapshot()["job_ids"])
            if job["kind"] == "download_track" and job["state"] == "completed"
        ]
        attempts = forge.sql(
            f"SELECT outcome FROM attempts WHERE job_id = '{download['job_id']}' ORDER BY attempt"
        ).dicts()
        # The wait that the server asked for cost no attempt.
        assert [row["outcome"] for row in attempts] == ["snoozed", "completed"]
        for table in ("tracks", "links", "files", "batches", "batch_inputs", "jobs", "attempts", "analyses"):
            words.append(str(forge.sql(f"SELECT * FROM {table}").dicts()))
        # Used, its whole form is gone at once; what failed may be tried again.
        until_(lambda: len(list(kept.iterdir())) == 2)
        assert hunted(own_folder, [key.encode()], kept) == []
        assert any(key in file.read_text(errors="replace") for file in kept.iterdir())

        (file,) = forge.config.downloads_folder.rglob("good.wav")
        file.unlink()
        again = forge.process(tracks[0], analyze=["key"])
        assert again.wait(60, progress=False)
        sentence = " ".join(again.errors()["error"])
        assert "good.wav?… is not kept any more" in sentence
        assert "Add the link again" in sentence
        more = forge.process(web.url + good, analyze=["key"])
        assert more.wait(60, progress=False)
        assert set(account(more).values()) == {"done"}
        assert more.results()["track_id"][0] == tracks[0].track_id
    assert cli.main(["stop", "--data-folder", str(own_folder)]) == 0
    assert hunted(own_folder, [key.encode()], kept) == []
    assert hunted(tmp_path / "out", [key.encode()], kept) == []
    assert key not in "\n".join(words)
    assert key not in caplog.text
    assert key not in "".join(capfd.readouterr())


@pytest.mark.timeout(150)
def test_a_key_is_in_no_command_line_and_a_song_that_is_here_is_no_double(
    linked: sf.Forge, web: Web, song, tmp_path: Path, application, watcher
) -> None:
    file = song(tmp_path / "mine.wav", seconds=2.0, seed=7)
    content, key = file.read_bytes(), "Pl4nted" + secrets.token_hex(8)
    asked, go_on = threading.Event(), threading.Event()

    def slow(request: Request) -> None:
        asked.set()
        assert go_on.wait(60)
        file_answer(content)(request)

    mine = linked.add(file)[0]
    track = linked.add(f"{web.serve('/the%20same.wav', slow)}?key={key}")[0]
    assert track.track_id != mine.track_id
    batch = linked.process(track, analyze=["energy"])
    assert asked.wait(60)
    everyone = application(linked.config.data_folder).everyone()
    told = [" ".join([*process.cmdline(), str(process.environ())]) for process in everyone]
    go_on.set()
    assert any("programs.download" in line for line in told)
    assert not any(key in line for line in told)
    assert batch.wait(60, progress=False)
    assert set(account(batch).values()) == {"done"}
    assert batch.results()["track_id"].tolist() == [mine.track_id]
    # The id of before leads there too.
    assert linked.analysis(track) == linked.analysis(mine) is not None
    again = linked.process(track, analyze=["energy"])
    assert again.wait(60, progress=False)
    assert account(again) == {("the same", "analyze"): "reused"}
    rows = linked.sql("SELECT byte_hash FROM tracks WHERE title IN ('mine', 'the same')").dicts()
    assert len(rows) == 1


@pytest.mark.timeout(120)
def test_what_a_page_plays_is_fetched_where_that_is_allowed(
    own_folder: Path, web: Web, song, tmp_path: Path
) -> None:
    """By the real yt-dlp; its key is nowhere, as that of a file."""
    content = song(tmp_path / "song.wav", seconds=2.0, seed=9).read_bytes()
    key = "Pl4nted" + secrets.token_hex(8)
    media = web.serve("/media/played.wav", file_answer(content))
    text = f"<html><head><title>Page</title></head><body><audio src='{media}'></audio></body></html>"
    link = web.serve("/watch", lambda asked: asked.say(200, text.encode(), Content_Type="text/html"))
    settings = {"private_addresses": "allowed", "downloads": "allowed"}
    with sf.connect(data_folder=own_folder, **settings) as forge:
        batch = forge.process(f"{link}?key={key}", analyze=["energy"])
        assert batch.wait(90, progress=False)
        assert set(account(batch).values()) == {"done"}
        (file,) = [path for path in forge.config.downloads_folder.rglob("*") if path.is_file()]
        assert file.suffix == ".wav"
        assert soundfile.info(file).duration == 2.0
        until_(lambda: len(list(forge.config.links_folder.iterdir())) == 1)
    assert cli.main(["stop", "--data-folder", str(own_folder)]) == 0
    assert hunted(own_folder, [key.encode()], own_folder / "links") == []


def until_(true: Callable[[], bool], timeout_seconds: float = 20.0) -> None:
    """Until a look shows it; what is looked at tells nobody of its changes."""
    until = time.monotonic() + timeout_seconds
    while not true():
        assert time.monotonic() < until
        threading.Event().wait(0.02)


def test_private_addresses_are_refused_by_default(forge: sf.Forge, web: Web) -> None:
    batch = forge.process(web.serve("/a.wav", file_answer(b"")), analyze=["energy"])
    assert batch.wait(60, progress=False)
    assert "of this machine or of a local network" in " ".join(batch.errors()["error"])
