"""Spotify on loopback, and what asks it; properties take their time."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))

from spotify_server import CLIENT_ID, CLIENT_SECRET, SpotifyServer, spotify_server

from soundforge_nb.config import Config
from soundforge_nb.lifecycle.clock import ManualClock
from soundforge_nb.spotify.tokens import Tokens

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
