"""Spotify on loopback, and what asks it; properties take their time."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))

from spotify_server import CLIENT_ID, CLIENT_SECRET, Killed, SpotifyServer, spotify_server

from soundforge_nb.config import Config
from soundforge_nb.lifecycle.clock import ManualClock
from soundforge_nb.spotify.pages import open_pages
from soundforge_nb.spotify.reading import read_all
from soundforge_nb.spotify.sign_in import SignIn
from soundforge_nb.spotify.tokens import Tokens
from soundforge_nb.spotify.urls import SpotifyLink
from soundforge_nb.spotify.web import Client

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture
def spotify() -> Iterator[SpotifyServer]:
    with spotify_server() as server:
        yield server


@pytest.fixture
def config(tmp_path: Path, spotify: SpotifyServer) -> Config:
    return Config(
        data_folder=tmp_path / "data",
        spotify_client_id=CLIENT_ID,
        spotify_client_secret=CLIENT_SECRET,
        spotify_api_url=spotify.url,
        spotify_accounts_url=spotify.url,
    )


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def tokens(config: Config, clock: ManualClock) -> Tokens:
    return Tokens(config, clock=clock)


@pytest.fixture
def read(
    spotify: SpotifyServer, config: Config, clock: ManualClock, tokens: Tokens, tmp_path: Path
) -> Callable[..., list[dict[str, Any]]]:
    """Reads a link as an attempt of a job does; gives back the entries."""
    sign_in = SignIn(config, clock, tokens)
    sign_in.finish(spotify.agree(sign_in.begin()["url"]))
    path = tmp_path / "partial" / "list.part"

    def read_it(link: SpotifyLink, killed_after: int = 1_000_000) -> list[dict[str, Any]]:
        reports = 0

        def report(percent: int, message: str) -> None:
            nonlocal reports
            reports += 1
            if reports >= killed_after:
                raise Killed

        client = Client(config, tokens)
        try:
            with open_pages(path) as pages:
                read_all(link, client, pages, report)
        finally:
            client.close()
        lines = [json.loads(line) for line in path.read_bytes().splitlines()]
        assert lines[0]["link"] == link.uri
        return [entry for line in lines[1:] for entry in line["entries"]]

    return read_it
