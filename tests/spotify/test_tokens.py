"""Tokens: for their owner's eyes, renewed once whoever asks, and never lost when one is good once."""

from __future__ import annotations

import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from spotify_server import CLIENT_ID, CLIENT_SECRET, SpotifyServer

from soundforge_nb.config import Config, load
from soundforge_nb.errors import ConfigError, SpotifyError
from soundforge_nb.lifecycle.clock import ManualClock
from soundforge_nb.spotify.sign_in import LASTS_SECONDS, SignIn
from soundforge_nb.spotify.tokens import Credentials, Token, TokenFile, Tokens


def signed_in(spotify: SpotifyServer, config: Config, clock: ManualClock, tokens: Tokens) -> None:
    sign_in = SignIn(config, clock, tokens)
    sign_in.finish(spotify.agree(sign_in.begin()["url"]))


def test_one_token_serves_all_until_it_ends(
    spotify: SpotifyServer, tokens: Tokens, clock: ManualClock, config: Config
) -> None:
    first = tokens.access("app")
    assert tokens.access("app") == Tokens(config, clock=clock).access("app") == first
    assert spotify.requests("/api/token") == 1
    clock.advance(3539)
    assert tokens.access("app") == first
    clock.advance(2)
    assert tokens.access("app") != first
    assert spotify.requests("/api/token") == 2


def test_all_who_need_one_at_once_ask_once(
    spotify: SpotifyServer, config: Config, clock: ManualClock
) -> None:
    """Each with a file of its own, as the processes have."""
    barrier = threading.Barrier(8)

    def ask(_: int) -> str:
        tokens = Tokens(config, clock=clock)
        barrier.wait(20)
        return tokens.access("app")

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(ask, range(8)))) == 1
    assert spotify.requests("/api/token") == 1


def test_what_is_kept_is_for_its_owner_and_in_no_repr(
    spotify: SpotifyServer, config: Config, clock: ManualClock, tokens: Tokens
) -> None:
    tokens.file.keep_credentials(Credentials(CLIENT_ID, CLIENT_SECRET))
    signed_in(spotify, config, clock, tokens)
    tokens.access("app")
    folder = config.spotify_folder
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    assert {file.name for file in folder.iterdir()} == {"client.json", "tokens.json", "lock"}
    seen = repr([config, tokens.known(), tokens.credentials()]) + str(config.as_json())
    assert "Pl4nted" not in seen


def test_a_person_s_token_is_renewed_by_what_came_with_it(
    spotify: SpotifyServer, config: Config, clock: ManualClock, tokens: Tokens
) -> None:
    with pytest.raises(SpotifyError, match="sign_in_to_spotify"):
        tokens.access("user")
    signed_in(spotify, config, clock, tokens)
    first = tokens.access("user")
    for _ in range(3):
        clock.advance(3600)
        # Each refresh token is good once: the one that comes with an answer takes its place.
        assert tokens.access("user") != first
    assert len(spotify.refresh_tokens) == 1
    spotify.refresh_tokens.clear()
    clock.advance(3600)
    with pytest.raises(SpotifyError, match="does not accept the sign-in any more") as caught:
        tokens.access("user")
    assert caught.value.kind == "sign_in"
    assert "user" not in tokens.known()


def test_a_network_that_is_away_takes_no_token_away(
    spotify: SpotifyServer, config: Config, clock: ManualClock, tokens: Tokens
) -> None:
    signed_in(spotify, config, clock, tokens)
    clock.advance(3600)
    spotify.faults["/api/token"] = [lambda request: request.hang_up(), lambda r: r.fail(503)]
    for kind in ("connection", "unavailable"):
        with pytest.raises(SpotifyError) as caught:
            tokens.access("user")
        assert (caught.value.kind, caught.value.retryable) == (kind, True)
    assert tokens.access("user").startswith("user-")


@pytest.mark.parametrize("answer", [b"", b"[]", b'{"access_token": ""}', b'{"expires_in": 3600}', b'{"acc'])
def test_an_answer_that_is_no_token_is_none(spotify: SpotifyServer, tokens: Tokens, answer: bytes) -> None:
    spotify.faults["/api/token"] = [lambda request: request.say(200, answer)]
    with pytest.raises(SpotifyError) as caught:
        tokens.access("app")
    assert (caught.value.kind, caught.value.retryable) == ("broken", True)
    assert tokens.known() == {}
    assert tokens.access("app")


def test_a_wrong_secret_is_a_sentence(spotify: SpotifyServer, config: Config) -> None:
    wrong = Config(**{**vars(config), "spotify_client_secret": "Pl4ntedWrong"})
    with pytest.raises(SpotifyError, match="id or secret is wrong") as caught:
        Tokens(wrong).access("app")
    assert not caught.value.retryable
    assert "Pl4nted" not in str(caught.value.as_json())


def test_without_a_client_nothing_is_asked(tmp_path: Path) -> None:
    with pytest.raises(SpotifyError, match="SPOTIPY_CLIENT_ID") as caught:
        Tokens(Config(data_folder=tmp_path)).access("app")
    assert caught.value.kind == "not_configured"


def test_a_dask_worker_finds_the_secret_in_the_file(
    spotify: SpotifyServer, config: Config, clock: ManualClock
) -> None:
    worker = Config(**{**vars(config), "spotify_client_secret": ""})
    with pytest.raises(SpotifyError, match="secret of the Spotify client is not set"):
        Tokens(worker).access("app")
    TokenFile(config.spotify_folder).keep_credentials(Credentials(CLIENT_ID, CLIENT_SECRET))
    assert Tokens(worker).access("app").startswith("app-")
    other = Config(**{**vars(worker), "spotify_client_id": "another"})
    assert Tokens(other).credentials() == Credentials("another", "")
    assert Tokens(other).known() == {}


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"client_id": "client0123456789"}', b"\xff"])
def test_a_damaged_file_is_an_empty_one(tokens: Tokens, config: Config, content: bytes) -> None:
    first = tokens.access("app")
    (config.spotify_folder / "tokens.json").write_bytes(content)
    assert tokens.access("app") != first


def test_a_clock_that_was_set_back_makes_no_token_young(clock: ManualClock) -> None:
    token = Token("x", clock.now() + timedelta(hours=5), 3600)
    assert not token.is_good(clock.now())


# -- signing in ---------------------------------------------------------------------------------------


def test_only_the_sign_in_that_was_begun_is_taken(
    spotify: SpotifyServer, config: Config, clock: ManualClock, tokens: Tokens
) -> None:
    sign_in = SignIn(config, clock, tokens)
    begun = sign_in.begin()
    assert begun["redirect_uri"] == "http://127.0.0.1:8898/callback"
    address = spotify.agree(begun["url"])
    for wrong in (
        "",
        "nonsense",
        "http://[::1",
        begun["redirect_uri"],
        address.replace("state=", "state=x"),
        f"{begun['redirect_uri']}?code=x",
    ):
        with pytest.raises(SpotifyError, match="not the address of a sign-in"):
            sign_in.finish(wrong)
    sign_in.finish(f"  {address}\n")
    with pytest.raises(SpotifyError, match="not the address of a sign-in"):
        sign_in.finish(address)
    assert tokens.known()["user"].scope == "playlist-read-private"
    sign_in.out()
    assert "user" not in tokens.known()


def test_a_sign_in_ends_by_itself_or_by_a_no(
    spotify: SpotifyServer, config: Config, clock: ManualClock, tokens: Tokens
) -> None:
    sign_in = SignIn(config, clock, tokens)
    late = spotify.agree(sign_in.begin()["url"])
    clock.advance(LASTS_SECONDS + 1)
    with pytest.raises(SpotifyError, match="not the address of a sign-in"):
        sign_in.finish(late)
    with pytest.raises(SpotifyError, match="refused in the browser"):
        sign_in.finish("http://127.0.0.1:8898/callback?error=access_denied&state=x")
    forged = spotify.agree(sign_in.begin()["url"])
    spotify.codes["Pl4ntedCode"] = "another challenge"
    with pytest.raises(SpotifyError, match="does not accept the sign-in"):
        sign_in.finish(forged)
    for _ in range(100):
        sign_in.begin()
    assert len(sign_in._pending) == 20


# -- settings -----------------------------------------------------------------------------------------


def test_the_client_comes_from_the_file_the_environment_or_arguments(tmp_path: Path) -> None:
    (tmp_path / "soundforge.toml").write_text('spotify_client_id = "file"\nspotify_client_secret = "file"\n')
    borrowed = {"SPOTIPY_CLIENT_ID": "theirs", "SPOTIPY_CLIENT_SECRET": "Pl4nted"}
    ours = {"SOUNDFORGE_SPOTIFY_CLIENT_ID": "ours"}
    assert load(tmp_path, environment={}).spotify_client_id == "file"
    assert load(tmp_path, environment=borrowed).spotify_client_id == "theirs"
    both = load(tmp_path, environment=ours | borrowed)
    assert (both.spotify_client_id, both.spotify_client_secret) == ("ours", "Pl4nted")
    assert load(tmp_path, environment=borrowed, spotify_client_id="mine").spotify_client_id == "mine"


@pytest.mark.parametrize(
    "wrong",
    [
        {"spotify_api_url": "http://api.spotify.com"},
        {"spotify_accounts_url": "http://127.0.0.1.evil.org:80"},
        {"spotify_market": "de"},
        {"spotify_client_secret": True},
    ],
)
def test_settings_that_would_give_a_secret_away_are_refused(tmp_path: Path, wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, environment={}, **wrong)
    assert "True" not in str(caught.value)
