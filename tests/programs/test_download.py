"""The downloader, as a real child, against a server on loopback."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from conversations import Conversation, program
from web import Request, Web, file_answer, web_server


@pytest.fixture(scope="module")
def web() -> Iterator[Web]:
    with web_server() as made:
        yield made


def tone(seconds: float = 1.0, format: str = "FLAC") -> bytes:
    file = io.BytesIO()
    wave = 0.3 * np.sin(np.arange(int(22_050 * seconds)) * 0.05)
    soundfile.write(file, wave, 22_050, format=format)
    return file.getvalue()


def download(folder: Path, link: str, **request: Any) -> Conversation:
    defaults = {
        "link": link,
        "shown": "https://host/song",
        "output_folder": str(folder / "out"),
        "partial_folder": str(folder / "partial"),
        "partial_name": "key",
        "max_bytes": 10_000_000,
        "stall_seconds": 5,
        "allow_private": True,
    }
    return program("download", **(defaults | request))


def left(folder: Path) -> list[str]:
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())


def test_a_song_comes_whole_and_decoded(tmp_path: Path, web: Web) -> None:
    content = tone(seconds=2.0)
    said = download(tmp_path, web.serve("/song.flac", file_answer(content, upto=5000)))
    assert said.result["file"] == "audio.flac"
    assert said.result["names"] == ["song.flac"]
    assert said.result["audio"]["duration_seconds"] == pytest.approx(2.0)
    assert said.result["audio"]["decoded_hash"]
    assert left(tmp_path) == ["out/audio.flac"]
    assert (tmp_path / "out" / "audio.flac").read_bytes() == content
    assert said.percents[0] == 0
    assert said.percents == sorted(set(said.percents))
    assert said.log == ""


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"These are words, not sounds.\n" * 500, "not_audio"),
        (tone(20.0)[:-9000], "damaged"),
        (b"", "empty"),
        (tone(seconds=0.0, format="WAV"), "too_short"),
    ],
)
def test_what_is_no_music_is_not_kept(tmp_path: Path, web: Web, content: bytes, kind: str) -> None:
    said = download(tmp_path, web.serve("/song.flac", file_answer(content)))
    assert (said.last["type"], said.last["kind"], said.last["retry"]) == ("error", kind, False)
    assert "https://host/song" in said.last["message"]
    assert str(tmp_path) not in said.last["message"]
    assert left(tmp_path) == []


def test_another_length_is_another_recording(tmp_path: Path, web: Web) -> None:
    link = web.serve("/song.flac", file_answer(tone()))
    said = download(tmp_path, link, expected_seconds=180.0)
    assert said.last["kind"] == "no_match"
    assert left(tmp_path) == []
    assert download(tmp_path, link, expected_seconds=1.4).last["type"] == "result"


def test_the_path_of_a_link_chooses_no_place(tmp_path: Path, web: Web) -> None:
    link = web.serve("/..%2f..%2fescape.flac", file_answer(tone()))
    said = download(tmp_path, link, partial_name="../../key")
    assert said.result["file"] == "audio.flac"
    assert left(tmp_path) == ["out/audio.flac"]


def test_private_addresses_are_refused_unless_allowed(tmp_path: Path, web: Web) -> None:
    said = download(tmp_path, web.serve("/song.flac", file_answer(tone())), allow_private=False)
    assert said.last["kind"] == "private_address"


def test_a_link_s_key_is_in_nothing_that_is_said(tmp_path: Path, web: Web) -> None:
    def break_off(request: Request) -> None:
        request.wfile.write(f"{request.path} is no status line\r\n\r\n".encode())

    answers = {
        "good": file_answer(tone()),
        "words": file_answer(b"These are words, not sounds.\n" * 500),
        "gone": lambda request: request.say(404),
        "busy": lambda request: request.say(429, Retry_After="3"),
        "broken": break_off,
    }
    for name, answer in answers.items():
        link = f"{web.serve(f'/{name}.flac', answer)}?key=SECRET&user=SECRET"
        said = download(tmp_path, link, shown=f"https://host/{name}?…", partial_name=name)
        assert "SECRET" not in json.dumps(said.lines) + said.log
        assert web.seen[-1][0].endswith("?key=SECRET&user=SECRET")
        assert name != "busy" or said.last["wait_seconds"] == 3.0
    assert not any(b"SECRET" in file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())


def test_an_unforeseen_error_does_not_tell_the_link(tmp_path: Path) -> None:
    """Libraries put addresses into their errors; where it happened stays in the log."""
    said = download(tmp_path, "http://[::1]:1/a", max_bytes=1, shown="x", stall_seconds="SECRET")
    assert (said.last["type"], said.last["kind"]) == ("error", "internal")
    assert "SECRET" not in json.dumps(said.lines) + said.log
    assert "ValueError" in said.last["message"]
    assert "download.py" in said.log


def test_a_request_without_a_link_is_a_sentence(tmp_path: Path) -> None:
    assert program("download", output_folder=str(tmp_path)).last["kind"] == "usage"
