"""The refresher renews before a token ends, outlives a network that is away, and asks nobody for nothing."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from spotify_server import CLIENT_SECRET, SpotifyServer

from soundforge_nb.config import Config
from soundforge_nb.lifecycle.clock import ManualClock
from soundforge_nb.lifecycle.supervisor import Child, Supervisor
from soundforge_nb.spotify.refresher import LOOK_SECONDS, REFRESH_SECONDS, TokenRefresher
from soundforge_nb.spotify.sign_in import SignIn
from soundforge_nb.spotify.tokens import Tokens


@pytest.fixture
def refresher(config: Config, clock: ManualClock, tokens: Tokens) -> TokenRefresher:
    return TokenRefresher(config, clock, tokens)


def look(refresher: TokenRefresher) -> float:
    return asyncio.run(refresher.tick())


def test_a_token_is_renewed_3500_seconds_after_it_came(
    spotify: SpotifyServer, refresher: TokenRefresher, tokens: Tokens, clock: ManualClock
) -> None:
    first = tokens.access("app")
    assert look(refresher) == LOOK_SECONDS
    clock.advance(REFRESH_SECONDS - 10)
    assert look(refresher) == 10.0
    assert spotify.requests("/api/token") == 1
    clock.advance(10)
    look(refresher)
    assert spotify.requests("/api/token") == 2
    assert tokens.access("app") != first
    look(refresher)
    assert spotify.requests("/api/token") == 2


def test_where_there_is_no_token_none_is_asked_for(
    spotify: SpotifyServer, refresher: TokenRefresher, tmp_path: Path, clock: ManualClock
) -> None:
    assert look(refresher) == LOOK_SECONDS
    assert look(TokenRefresher(Config(data_folder=tmp_path), clock)) == LOOK_SECONDS
    assert spotify.seen == []


def test_a_network_that_is_away_is_waited_for(
    spotify: SpotifyServer, config: Config, refresher: TokenRefresher, tokens: Tokens, clock: ManualClock
) -> None:
    sign_in = SignIn(config, clock, tokens)
    sign_in.finish(spotify.agree(sign_in.begin()["url"]))
    clock.advance(REFRESH_SECONDS)
    spotify.faults["/api/token"] = [lambda request: request.hang_up()] * 5
    waits = []
    for _ in range(5):
        waits.append(look(refresher))
        # Looked at again too early it does not ask.
        assert look(refresher) == pytest.approx(waits[-1])
        clock.advance(waits[-1])
    assert waits == [5.0, 10.0, 20.0, 40.0, 60.0]
    assert spotify.requests("/api/token") == 1 + 5
    assert look(refresher) == LOOK_SECONDS
    assert tokens.known()["user"].issued_at == clock.now()


def test_a_server_that_asks_for_patience_gets_it(
    spotify: SpotifyServer, refresher: TokenRefresher, tokens: Tokens, clock: ManualClock
) -> None:
    tokens.access("app")
    clock.advance(REFRESH_SECONDS)
    spotify.faults["/api/token"] = [lambda request: request.say(429, {"error": "x"}, Retry_After="500")]
    assert look(refresher) == LOOK_SECONDS
    clock.advance(499)
    look(refresher)
    assert spotify.requests("/api/token") == 2
    clock.advance(1)
    look(refresher)
    assert spotify.requests("/api/token") == 3


def test_a_sign_in_that_was_withdrawn_ends_the_asking(
    spotify: SpotifyServer, config: Config, refresher: TokenRefresher, tokens: Tokens, clock: ManualClock
) -> None:
    sign_in = SignIn(config, clock, tokens)
    sign_in.finish(spotify.agree(sign_in.begin()["url"]))
    spotify.refresh_tokens.clear()
    clock.advance(REFRESH_SECONDS)
    for _ in range(10):
        look(refresher)
        clock.advance(60)
    assert spotify.requests("/api/token") == 2
    assert "user" not in tokens.known()


def test_who_asks_and_the_refresher_do_not_renew_the_same_twice(
    spotify: SpotifyServer, refresher: TokenRefresher, tokens: Tokens, clock: ManualClock
) -> None:
    tokens.access("app")
    before = tokens.known()["app"]
    clock.advance(3600)
    tokens.access("app")
    # The refresher had looked before that, and comes second.
    tokens.renewed_after("app", before.issued_at)
    assert spotify.requests("/api/token") == 2


def test_it_starts_as_often_as_it_must(config: Config, clock: ManualClock, tokens: Tokens) -> None:
    """Under a supervisor, killed and started again; the Dask workers find the secret each time."""

    async def live() -> None:
        supervisor = Supervisor(
            [Child("token refresher", lambda: TokenRefresher(config, clock, tokens))], max_restarts=3
        )
        await supervisor.start()
        (child,) = supervisor.which_children()
        for restarts in range(1, 4):
            supervisor.kill("token refresher")
            async with asyncio.timeout(10):
                while child["restarts"] < restarts or child["state"] != "running":
                    await asyncio.sleep(0)
                    (child,) = supervisor.which_children()
        assert supervisor.healthy
        await supervisor.stop()

    asyncio.run(live())
    kept = tokens.file.credentials()
    assert kept is not None
    assert kept.client_secret == CLIENT_SECRET


def test_a_folder_that_can_t_be_written_is_no_crash(
    tmp_path: Path, config: Config, clock: ManualClock
) -> None:
    (tmp_path / "file").write_text("no folder")
    blocked = Config(**{**vars(config), "data_folder": tmp_path / "file"})
    asyncio.run(TokenRefresher(blocked, clock).start())


def test_times_are_those_of_the_clock(tokens: Tokens, clock: ManualClock) -> None:
    clock.advance(5)
    tokens.access("app")
    assert tokens.known()["app"].issued_at == clock.now()
    assert clock.now() - timedelta(seconds=5) == ManualClock().now()
