"""Downloaders of others: run with their real command lines, judged by the file they leave.

yt-dlp is the real one, against a page on loopback. For spotdl a stand-in takes the same command line
(`stand_ins/spotdl`); the real one is tried too where it is installed.
"""

from __future__ import annotations

import importlib.util
import io
import json
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import conversations
import mutagen
import numpy as np
import psutil
import pytest
import soundfile
from conversations import Conversation, ask, hear, program, start
from web import Request, Web, file_answer, web_server

from soundforge_nb.programs.page import secrets_of
from soundforge_nb.programs.tagging import picture_in, write_tags
from soundforge_nb.programs.tools import fault, the_file

STAND_INS = Path(__file__).parent / "stand_ins"
SONG = {
    "spotify_id": "6rqhFgbbKwnb9MLmUQDhG6",
    "title": "The song",
    "artist": "Ada, Bob",
    "album": "Works",
    "isrc": "DEA123400007",
    "duration_seconds": 2.0,
}


@pytest.fixture(scope="module")
def web() -> Iterator[Web]:
    with web_server() as made:
        yield made


@pytest.fixture
def stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(conversations.ENVIRONMENT, "PYTHONPATH", str(STAND_INS))


def tone(seconds: float = 2.0, format: str = "MP3") -> bytes:
    file = io.BytesIO()
    soundfile.write(file, 0.3 * np.sin(np.arange(int(22_050 * seconds)) * 0.05), 22_050, format=format)
    return file.getvalue()


def request(folder: Path, **changes: Any) -> dict[str, Any]:
    return {
        "shown": "https://host/watch?…",
        "output_folder": str(folder / "out"),
        "partial_folder": str(folder / "partial"),
        "partial_name": "key",
        "max_bytes": 10_000_000,
        "stall_seconds": 5,
        "allow_private": True,
        "downloads": True,
    } | changes


def song(folder: Path, title: str, **changes: Any) -> Conversation:
    told = SONG | {"title": title}
    return program("download", **request(folder, song=told, shown=title, expected_seconds=2.0, **changes))


def page(media: str) -> Any:
    text = f"<html><head><title>Page</title></head><body><audio src='{media}'></audio></body></html>"
    return lambda asked: asked.say(200, text.encode(), Content_Type="text/html; charset=utf-8")


def left(folder: Path) -> list[str]:
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


# -- yt-dlp, the real one -------------------------------------------------------------------------------


def test_what_a_page_plays_is_fetched_where_that_is_allowed(tmp_path: Path, web: Web) -> None:
    media = web.serve("/media/song.mp3", file_answer(tone(), kind="audio/mpeg"))
    link = f"{web.serve('/watch', page(f'{media}?token=SECRETMEDIA'))}?key=SECRETPAGE"
    refused = program("download", **request(tmp_path, link=link, downloads=False))
    assert refused.last["kind"] == "web_page"
    assert 'downloads = "allowed"' in refused.last["remedy"]
    assert web.requests("/media/song.mp3") == 0

    said = program("download", **request(tmp_path, link=link))
    assert said.result["file"] == "audio.mp3"
    assert said.result["audio"]["duration_seconds"] == pytest.approx(2.0, abs=0.1)
    assert left(tmp_path) == ["out/audio.mp3"]
    assert mutagen.File(tmp_path / "out" / "audio.mp3", easy=True)["title"]
    assert said.percents == sorted(set(said.percents))
    # Its log is kept, and the link is cut out of it.
    assert "yt_dlp ended with" in said.log
    assert "SECRETPAGE" not in json.dumps(said.lines) + said.log


@pytest.mark.parametrize(
    ("answer", "kinds"),
    [
        (page("http://127.0.0.1:1/gone.mp3"), {"connection"}),
        (lambda asked: asked.say(200, b"<html>words</html>", Content_Type="text/html"), {"unavailable"}),
    ],
)
def test_a_page_without_audio_is_a_type(tmp_path: Path, web: Web, answer: Any, kinds: set[str]) -> None:
    said = program("download", **request(tmp_path, link=web.serve("/watch", answer)))
    assert said.last["kind"] in kinds
    assert said.last["message"].count("https://host/watch?…") == 1
    assert left(tmp_path) == []


def test_a_page_at_a_private_address_is_refused(tmp_path: Path, web: Web) -> None:
    link = web.serve("/watch", page("x"))
    said = program("download", **request(tmp_path, link=link, allow_private=False))
    assert said.last["kind"] == "private_address"


def test_a_page_s_audio_may_be_no_larger_than_a_file(tmp_path: Path, web: Web) -> None:
    media = web.serve("/media/large.wav", file_answer(tone(20.0, "WAV")))
    said = program("download", **request(tmp_path, link=web.serve("/watch", page(media)), max_bytes=100_000))
    assert said.last["kind"] == "too_big"
    assert left(tmp_path) == []


def test_the_end_of_the_child_is_the_end_of_its_downloader(tmp_path: Path, web: Web) -> None:
    """Its session is killed, as a port does; the link is in no command line."""

    reached = threading.Event()

    def slow(asked: Request) -> None:
        reached.set()
        asked.send_response(200)
        asked.send_header("Content-Type", "audio/mpeg")
        asked.send_header("Content-Length", "1000000")
        asked.end_headers()
        asked.wfile.write(tone()[:2000])
        asked.connection.settimeout(30)
        asked.rfile.read(1)

    link = f"{web.serve('/watch', page(web.serve('/media/slow.mp3', slow)))}?key=SECRETPAGE"
    child = start("-m", "soundforge_nb.programs.download")
    ask(child, request(tmp_path, link=link, stall_seconds=30))
    assert reached.wait(60)
    (tool,) = psutil.Process(child.pid).children(recursive=True)
    assert "yt_dlp" in tool.cmdline()
    told = [*tool.cmdline(), *psutil.Process(child.pid).cmdline()]
    told += list(tool.environ().values())
    assert not any("SECRETPAGE" in text for text in told)
    os.killpg(child.pid, signal.SIGKILL)
    assert hear(child).returncode == -signal.SIGKILL
    _, alive = psutil.wait_procs([tool], timeout=10)
    assert alive == []
    assert not any("out/audio" in name for name in left(tmp_path))


# -- spotdl ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("title", ["The song", "complaining"])
def test_a_song_is_judged_by_its_file(tmp_path: Path, stand_ins: None, title: str) -> None:
    """Not by the exit status; it gets tags, and nothing else that was left gets out."""
    said = song(tmp_path, title)
    assert said.result["file"] == "audio.flac"
    assert left(tmp_path) == ["out/audio.flac"]
    tags = mutagen.File(tmp_path / "out" / "audio.flac")
    assert (tags["title"], tags["artist"], tags["album"], tags["isrc"]) == (
        *([title], ["Ada, Bob"], ["Works"], ["DEA123400007"]),
    )
    assert tags.pictures[0].mime == "image/png"


@pytest.mark.parametrize(
    ("title", "kind", "retry"),
    [
        ("missing", "no_match", False),
        ("another", "no_match", False),
        ("busy", "rate_limited", True),
        ("private", "sign_in", False),
        ("full", "disk_full", True),
        ("away", "connection", True),
        ("odd", "unavailable", False),
        ("two", "unavailable", False),
        ("killed", "unavailable", False),
        ("broken", "extra_missing", False),
    ],
)
def test_what_went_wrong_is_a_type(
    tmp_path: Path, stand_ins: None, title: str, kind: str, retry: bool
) -> None:
    said = song(tmp_path, title)
    assert (said.last["type"], said.last["kind"], said.last["retry"]) == ("error", kind, retry)
    assert said.last["wait_seconds"] == (60.0 if title == "busy" else 0.0)
    assert said.last["message"]
    assert left(tmp_path) == []


def test_what_is_missing_is_said(tmp_path: Path, stand_ins: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(conversations.ENVIRONMENT, "STAND_IN_FFMPEG", "missing")
    assert song(tmp_path, "The song").last["kind"] == "ffmpeg_missing"
    refused = song(tmp_path, "The song", downloads=False)
    assert refused.last["kind"] == "not_allowed"
    assert "the right to copy" in refused.last["remedy"]


@pytest.mark.skipif(
    importlib.util.find_spec("spotdl") is not None, reason="spotdl is installed, so it is not missing"
)
def test_without_the_extra_it_is_said_how_to_get_it(tmp_path: Path) -> None:
    said = song(tmp_path, "The song")
    assert said.last["kind"] == "extra_missing"
    assert "pip install 'soundforge_nb[download]'" in said.last["remedy"]


@pytest.mark.skipif(
    importlib.util.find_spec("spotdl") is None,
    reason="spotdl is not installed: pip install 'soundforge_nb[download]' to try it for real",
)
def test_the_real_spotdl_takes_our_command_line(tmp_path: Path, web: Web) -> None:
    media = web.serve("/media/song.mp3", file_answer(tone(), kind="audio/mpeg"))
    told = SONG | {"audio_link": media}
    said = program("download", **request(tmp_path, song=told, shown="The song", expected_seconds=2.0))
    assert said.result["file"] == "audio.m4a"
    assert mutagen.File(tmp_path / "out" / "audio.m4a", easy=True)["title"] == ["The song"]


# -- parts ----------------------------------------------------------------------------------------------


def test_only_one_whole_file_counts(tmp_path: Path) -> None:
    for name in ("a.m4a.part", "b.ytdl", "c.info.json", "d.webp", "errors.txt", "x.part-Frag1.m4a"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "empty.m4a").touch()
    (tmp_path / "link.m4a").symlink_to("/etc/hostname")
    (tmp_path / "folder.m4a").mkdir()
    (tmp_path / "x.part-Frag1.m4a").unlink()
    assert the_file(tmp_path) is None
    (tmp_path / "song.m4a").write_bytes(b"x")
    assert the_file(tmp_path) == tmp_path / "song.m4a"
    (tmp_path / "other.m4a").write_bytes(b"x")
    assert the_file(tmp_path) is None


def test_what_a_program_warns_of_is_not_why_it_failed() -> None:
    said = "WARNING: ffmpeg not found\nERROR: [generic] HTTP Error 429: Too Many Requests"
    assert fault(said, "it").kind == "rate_limited"
    assert fault("ffmpeg not found", "it").kind == "ffmpeg_missing"
    assert fault("", "it").kind == "unavailable"
    assert "SECRET" not in str(fault("ERROR: https://host/?key=SECRET", "it").as_json())


def test_each_form_of_a_key_is_known() -> None:
    found = secrets_of("https://host/a?key=a%2Fb%20cd%3D&n=1")
    assert {"a/b cd=", "a%2Fb%20cd%3D", "a/b%20cd%3D", "key=a%2Fb%20cd%3D&n=1"} <= found
    assert "1" not in found


@pytest.mark.parametrize("format", ["MP3", "FLAC", "OGG", "WAV"])
def test_tags_are_added_and_never_overwritten(tmp_path: Path, format: str) -> None:
    file = tmp_path / f"song.{format.lower()}"
    file.write_bytes(tone(1.0, format))
    (tmp_path / "cover.jpg").write_bytes(b"\xff\xd8\xff\xe0 a picture")
    samples, _ = soundfile.read(file)
    told = {"title": "T", "artist": "A", "album": None, "isrc": "DEA123400007", "other": "x"}
    # A WAV's tags are not those of the others: it may stay without.
    assert write_tags(file, told, picture_in(tmp_path)) or format == "WAV"
    if format != "WAV":
        assert write_tags(file, {"title": "Other", "album": "B"}, picture_in(tmp_path))
        tags = mutagen.File(file, easy=True)
        assert (tags["title"], tags["artist"], tags["album"]) == (["T"], ["A"], ["B"])
        assert b"a picture" in file.read_bytes() or b"metadata_block_picture" in file.read_bytes().lower()
    assert np.array_equal(soundfile.read(file)[0], samples)


def test_what_takes_no_tags_is_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "song.webm"
    file.write_bytes(b"\x1a\x45\xdf\xa3 no more than this")
    assert not write_tags(file, {"title": "T"})
    assert file.read_bytes() == b"\x1a\x45\xdf\xa3 no more than this"
