"""Asking Spotify: each answer, good or bad, in a type; nothing waits for ever, nothing tells a secret."""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from spotify_server import Request, SpotifyServer, spotify_id, track

from soundforge_nb.config import Config
from soundforge_nb.errors import SpotifyError
from soundforge_nb.spotify import web
from soundforge_nb.spotify.tokens import Tokens

ONE = spotify_id(1)
PATH = f"/v1/tracks/{ONE}"


@pytest.fixture
def client(spotify: SpotifyServer, config: Config, tokens: Tokens) -> Iterator[web.Client]:
    spotify.tracks[ONE] = track(1)
    made = web.Client(config, tokens)
    yield made
    made.close()


def fault(client: web.Client) -> SpotifyError:
    with pytest.raises(SpotifyError) as caught:
        client.track(ONE)
    assert "Pl4nted" not in str(caught.value.as_json())
    assert caught.value.__cause__ is None
    return caught.value


def test_a_track_comes_and_its_token_is_asked_for_once(spotify: SpotifyServer, client: web.Client) -> None:
    assert client.track(ONE)["name"] == client.track(ONE)["name"] == "Song 1"
    assert spotify.seen == ["/api/token", PATH, PATH]


def test_a_market_is_asked_for(spotify: SpotifyServer, config: Config, tokens: Tokens) -> None:
    spotify.tracks[ONE] = track(1)
    client = web.Client(Config(**{**vars(config), "spotify_market": "DE"}), tokens)
    client.track(ONE)
    client.close()
    assert spotify.queries[-1] == {"market": "DE"}


def test_a_token_that_was_withdrawn_is_renewed_once(spotify: SpotifyServer, client: web.Client) -> None:
    client.track(ONE)
    spotify.good.clear()
    assert client.track(ONE)["name"] == "Song 1"
    assert spotify.requests("/api/token") == 2
    # An authority whose tokens are never good is not asked for ever.
    spotify.faults[PATH] = [lambda request: request.fail(401)] * 5
    assert fault(client).kind == "token"
    assert spotify.requests("/api/token") == 3


@pytest.mark.parametrize(
    ("status", "reason", "headers", "kind", "wait_seconds"),
    [
        (429, None, {"Retry_After": "7"}, "rate_limited", 7.0),
        (429, None, {"Retry_After": "86400"}, "rate_limited", 86_400.0),
        (429, None, {"Retry_After": "0"}, "rate_limited", 1.0),
        (429, None, {"Retry_After": "soon"}, "rate_limited", 30.0),
        (429, None, {}, "rate_limited", 30.0),
        (429, "QUOTA_EXCEEDED", {"Retry_After": "7"}, "quota", None),
        (500, None, {}, "unavailable", None),
        (503, None, {}, "unavailable", None),
        (403, None, {}, "forbidden", None),
        (404, None, {}, "not_found", None),
        (400, None, {}, "not_found", None),
        (410, None, {}, "refused", None),
    ],
)
def test_refusals_are_typed_and_never_waited_out_here(
    spotify: SpotifyServer,
    client: web.Client,
    status: int,
    reason: str | None,
    headers: dict[str, str],
    kind: str,
    wait_seconds: float | None,
) -> None:
    spotify.faults[PATH] = [lambda request: request.fail(status, "Pl4nted words", reason, **headers)] * 3
    started = time.monotonic()
    error = fault(client)
    assert time.monotonic() - started < 5
    assert (error.kind, error.details.get("wait_seconds")) == (kind, wait_seconds)
    assert error.retryable == (kind in ("rate_limited", "unavailable"))
    assert spotify.requests(PATH) == 1


@pytest.mark.parametrize(
    "answer",
    [
        lambda request: request.say(200, b'{"name": "Pl4nt'),
        lambda request: request.say(200, b""),
        lambda request: request.say(200, b"[1]"),
        lambda request: request.say(200, b"<html>Pl4nted"),
        lambda request: request.say(302, b"", Location="http://127.0.0.1:1/Pl4nted"),
        lambda request: request.say(400, b'{"error": "Pl4nted"}'),
        lambda request: request.say(502, b"[1]"),
    ],
)
def test_answers_of_another_shape_are_tried_again(
    spotify: SpotifyServer, client: web.Client, answer: object
) -> None:
    spotify.faults[PATH] = [answer]  # type: ignore[list-item]
    error = fault(client)
    assert (error.kind, error.retryable) == ("broken", True)
    assert client.track(ONE)["name"] == "Song 1"


def drip(request: Request) -> None:
    """A byte now and then: no silence is long, and no end ever comes."""
    request.send_response(200)
    request.send_header("Content-Length", "100000")
    request.end_headers()
    request.connection.settimeout(0.05)
    while True:
        request.wfile.write(b" ")
        try:
            request.rfile.read(1)
            return
        except TimeoutError:
            request.rfile = request.connection.makefile("rb")


def test_slow_cut_and_endless_answers_end(
    spotify: SpotifyServer, client: web.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(request: Request) -> None:
        request.say(200, b'{"name": "x"}', Content_Length="1000")
        request.hang_up()

    def endless(request: Request) -> None:
        request.send_response(200)
        request.end_headers()
        while True:
            request.wfile.write(b" " * 100_000)

    client.track(ONE)
    client._session._answer_seconds = 0.5
    monkeypatch.setattr(web, "ANSWER_BYTES", 1_000_000)
    for answer in (cut, drip, endless):
        spotify.faults[PATH] = [answer]
        started = time.monotonic()
        error = fault(client)
        assert (error.kind, error.retryable) == ("connection", True)
        assert time.monotonic() - started < 5


def test_nobody_there_is_a_sentence(config: Config, tokens: Tokens) -> None:
    away = Config(
        **{
            **vars(config),
            "spotify_api_url": "http://127.0.0.1:1",
            "spotify_accounts_url": config.spotify_api_url,
        }
    )
    client = web.Client(away, tokens)
    with pytest.raises(SpotifyError, match="can't be reached") as caught:
        client.track(ONE)
    client.close()
    assert caught.value.retryable


def test_spotipy_logs_nothing_at_any_level(
    spotify: SpotifyServer, client: web.Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("spotipy", "spotipy.client", "spotipy.oauth2"):
        caplog.set_level(logging.DEBUG, name)
    client.track(ONE)
    spotify.faults[PATH] = [lambda request: request.fail(404, "Pl4nted")]
    fault(client)
    assert "Pl4nted" not in caplog.text
    assert not [record for record in caplog.records if record.name.startswith("spotipy")]


def test_a_netrc_does_not_take_the_token_s_place(
    spotify: SpotifyServer, client: web.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login ann password Pl4nted\n")
    monkeypatch.setenv("NETRC", str(netrc))
    assert client.track(ONE)["name"] == "Song 1"
    assert spotify.requests("/api/token") == 1


def test_nobody_who_does_not_ask_loads_spotipy() -> None:
    code = (
        "import sys, soundforge_nb, soundforge_nb.application.extension, soundforge_nb.spotify.tokens\n"
        "sys.exit('spotipy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0


def test_nothing_is_left_in_the_working_folder(
    spotify: SpotifyServer, client: web.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    client.track(ONE)
    assert list(folder.iterdir()) == []
