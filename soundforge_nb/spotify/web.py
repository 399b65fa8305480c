"""Asking Spotify, by spotipy: the only module that imports it. Loaded by whoever asks, not before.

spotipy by itself waits as long as a server says, keeps tokens in the working folder, and writes them to its
log. Here it gets no retries, no cache and no log; a whole answer has a time and a size.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import requests
import spotipy
import urllib3
from spotipy.cache_handler import MemoryCacheHandler
from spotipy.exceptions import SpotifyException
from spotipy.oauth2 import SpotifyClientCredentials, SpotifyOauthError, SpotifyPKCE

from soundforge_nb.config import Config
from soundforge_nb.errors import SpotifyError
from soundforge_nb.spotify.tokens import Credentials, Tokens, Whose, sign_in_first

#: How long a server may keep silent, and how long a whole answer may take.
SILENCE_SECONDS = 10.0
ANSWER_SECONDS = 30.0
ANSWER_BYTES = 8_000_000
#: Where a server asks for patience without saying for how long; it looks at windows of 30 s.
WAIT_SECONDS = 30.0
SCOPE = "playlist-read-private playlist-read-collaborative"
PAGE_ITEMS = 50
#: An artist's albums come in smaller pages since 2026: more is refused.
PAGE_ALBUMS = 10
_QUOTA = "QUOTA_EXCEEDED"
_PLAYLIST_FIELDS = (
    "total,next,items({entry}(id,type,name,is_local,duration_ms,linked_from(id),external_ids(isrc),"
    "artists(name),album(name)))"
)


class _Nothing(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return False


for _name in ("spotipy.client", "spotipy.oauth2", "spotipy.cache_handler", "spotipy.util"):
    # It logs Authorization headers and tokens; what went wrong our errors tell. A filter outlasts levels.
    logging.getLogger(_name).addFilter(_Nothing())


class BoundedSession(requests.Session):
    """A session whose answers end in time and size, and that goes where it was sent alone."""

    def __init__(self, answer_seconds: float = ANSWER_SECONDS) -> None:
        super().__init__()
        self._answer_seconds = answer_seconds
        # A .netrc would put somebody's password in the token's place.
        self.auth = lambda request: request

    def send(self, request: Any, **options: Any) -> Any:
        until = time.monotonic() + self._answer_seconds
        response = super().send(request, **{**options, "stream": True, "allow_redirects": False})
        try:
            # Read here, bit by bit: one that drips would keep within any silence.
            response._content = b"".join(_pieces(response, until))
            response._content_consumed = True
        finally:
            response.close()
        return response


def _pieces(response: Any, until: float) -> Iterator[bytes]:
    left = ANSWER_BYTES
    try:
        while piece := response.raw.read1(1 << 16, decode_content=True):
            left -= len(piece)
            if left < 0 or time.monotonic() > until:
                raise requests.exceptions.ConnectionError("the answer is too long")
            yield piece
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise requests.exceptions.ConnectionError(type(error).__name__) from error


class Accounts:
    """The authority that gives tokens."""

    def __init__(self, config: Config, credentials: Credentials) -> None:
        self._config = config
        self._credentials = credentials
        self._session = BoundedSession()

    def app_token(self) -> Mapping[str, Any]:
        """A token of the client itself."""
        cache = MemoryCacheHandler()
        manager = SpotifyClientCredentials(
            self._credentials.client_id,
            self._credentials.client_secret,
            requests_session=self._session,
            requests_timeout=SILENCE_SECONDS,
            cache_handler=cache,
        )
        manager.OAUTH_TOKEN_URL = f"{self._config.spotify_accounts_url}/api/token"
        with _in_words():
            manager.get_access_token(as_dict=False, check_cache=False)
        return dict(cache.get_cached_token() or {})

    def refreshed(self, refresh_token: str) -> Mapping[str, Any]:
        """A new token of a person, and perhaps a new one to refresh it by."""
        with _in_words():
            return dict(self._pkce().refresh_access_token(refresh_token) or {})

    def authorization(self, state: str) -> tuple[str, str]:
        """Where a person says yes, and the verifier that proves later that we are who asked."""
        manager = self._pkce()
        url = manager.get_authorize_url(state)
        return str(url), str(manager.code_verifier)

    def exchanged(self, code: str, verifier: str) -> Mapping[str, Any]:
        """The tokens for a code that a browser came back with."""
        manager = self._pkce()
        manager.code_verifier, manager.code_challenge = verifier, "-"
        with _in_words():
            manager.get_access_token(code=code, check_cache=False)
        return dict(manager.cache_handler.get_cached_token() or {})

    def _pkce(self) -> Any:
        manager = SpotifyPKCE(
            self._credentials.client_id,
            redirect_uri(self._config),
            scope=SCOPE,
            requests_session=self._session,
            requests_timeout=SILENCE_SECONDS,
            open_browser=False,
            cache_handler=MemoryCacheHandler(),
        )
        manager.OAUTH_TOKEN_URL = f"{self._config.spotify_accounts_url}/api/token"
        manager.OAUTH_AUTHORIZE_URL = f"{self._config.spotify_accounts_url}/authorize"
        return manager


def redirect_uri(config: Config) -> str:
    """Where a browser comes back to; it must stand in the client's settings at Spotify, letter by letter."""
    return f"http://127.0.0.1:{config.spotify_redirect_port}/callback"


class Client:
    """Spotify's catalogue, as far as new clients may still see it: one thing at a time, pages of lists.

    Parameters
    ----------
    config : Config
    tokens : Tokens
    """

    def __init__(self, config: Config, tokens: Tokens) -> None:
        self._tokens = tokens
        self._market = config.spotify_market or None
        self._has_items = True
        self._session = BoundedSession()
        self._spotify = spotipy.Spotify(
            auth="-", requests_session=self._session, requests_timeout=SILENCE_SECONDS, retries=0
        )
        self._spotify.prefix = f"{config.spotify_api_url}/v1/"

    def track(self, spotify_id: str) -> dict[str, Any]:
        return self._ask("app", lambda: self._spotify.track(spotify_id, market=self._market))

    def album(self, spotify_id: str) -> dict[str, Any]:
        """An album with its first page of tracks."""
        return self._ask("app", lambda: self._spotify.album(spotify_id, market=self._market))

    def album_page(self, spotify_id: str, offset: int) -> dict[str, Any]:
        return self._ask(
            "app",
            lambda: self._spotify.album_tracks(
                spotify_id, limit=PAGE_ITEMS, offset=offset, market=self._market
            ),
        )

    def playlist(self, spotify_id: str) -> dict[str, Any]:
        """A playlist's name, and the mark of its present state."""
        return self._ask(
            "user", lambda: self._spotify.playlist(spotify_id, fields="name,snapshot_id", market=self._market)
        )

    def playlist_page(self, spotify_id: str, offset: int) -> dict[str, Any]:
        """A page of a playlist that is there; by the way of before 2026 where today's is not."""
        if self._has_items:
            try:
                return self._playlist_page(spotify_id, "items", "item", offset)
            except SpotifyError as error:
                if error.kind != "not_found":
                    raise
        page = self._playlist_page(spotify_id, "tracks", "track", offset)
        self._has_items = False
        return page

    def _playlist_page(self, spotify_id: str, what: str, entry: str, offset: int) -> dict[str, Any]:
        # Not by spotipy's own method, which knows one way alone.
        place = f"playlists/{spotify_id}/{what}"
        wanted = {"fields": _PLAYLIST_FIELDS.format(entry=entry), "limit": PAGE_ITEMS, "market": self._market}
        return self._ask(
            "user", lambda: self._spotify._get(place, offset=offset, additional_types="track", **wanted)
        )

    def artist_page(self, spotify_id: str, offset: int) -> dict[str, Any]:
        """Albums and singles of an artist's own, without those that they are guests on."""
        # Not by spotipy's own method, which knows no market.
        place = f"artists/{spotify_id}/albums"
        wanted = {"include_groups": "album,single", "limit": PAGE_ALBUMS, "market": self._market}
        return self._ask("app", lambda: self._spotify._get(place, offset=offset, **wanted))

    def close(self) -> None:
        self._session.close()

    def _ask(self, whose: Whose, call: Callable[[], Any]) -> dict[str, Any]:
        access = self._tokens.access(whose)
        try:
            return self._answer(access, call)
        except SpotifyError as error:
            if error.kind != "token":
                raise
        # Withdrawn, or a clock is wrong: one fresh token is worth a try, a second is not.
        return self._answer(self._tokens.renewed(whose, refused=access).access, call)

    def _answer(self, access: str, call: Callable[[], Any]) -> dict[str, Any]:
        self._spotify.set_auth(access)
        with _in_words():
            answer = call()
        if not isinstance(answer, dict):
            # spotipy gives None for what is no JSON.
            raise broken()
        return answer


def broken() -> SpotifyError:
    """An answer that makes no sense: half of one, or of another shape."""
    return SpotifyError(
        "Spotify's answer can't be read.", "It is tried again.", kind="broken", details={"retry": True}
    )


@contextmanager
def _in_words() -> Iterator[None]:
    """Errors of spotipy and below become ours; their words are dropped, for they may hold what is secret."""
    try:
        yield
    except SpotifyException as error:
        raise _fault(error) from None
    except SpotifyOauthError as error:
        raise _refusal(error) from None
    except ValueError:
        raise broken() from None
    except requests.exceptions.RequestException as error:
        raise SpotifyError(
            f"Spotify can't be reached ({type(error).__name__}).",
            "Check the network; it is tried again.",
            kind="connection",
            details={"retry": True},
        ) from None
    except (AttributeError, KeyError, TypeError):
        # spotipy trips over an answer of another shape.
        raise broken() from None


def _fault(error: Any) -> SpotifyError:
    status = error.http_status
    if status == 401:
        return SpotifyError("Spotify does not accept the token.", "Sign in again.", kind="token")
    if status == 429:
        return _busy(error.reason, error.headers)
    if status == 403:
        return SpotifyError(
            "Spotify does not open this to you (403).",
            "A playlist's contents are shown to its owner and collaborators alone, and the owner of a client "
            "in development needs Premium. Copy the songs into a playlist of your own.",
            kind="forbidden",
        )
    if status in (400, 404):
        return SpotifyError(f"Spotify has nothing there ({status}).", "Check the link.", kind="not_found")
    if status >= 500:
        return SpotifyError(
            f"Spotify can't answer just now ({status}).",
            "It is tried again.",
            kind="unavailable",
            details={"retry": True},
        )
    return SpotifyError(f"Spotify refused the request ({status}).", "Check the link.", kind="refused")


def _busy(reason: Any, headers: Mapping[str, str]) -> SpotifyError:
    if reason == _QUOTA:
        return SpotifyError(
            "The quota of your Spotify client is used up.",
            "Asking again makes it worse: try tomorrow, or ask Spotify for an extended quota.",
            kind="quota",
        )
    said = str(headers.get("Retry-After", "")).strip()
    wait = float(said[:9]) if said.isascii() and said.isdigit() else WAIT_SECONDS
    return SpotifyError(
        "Spotify asks for patience (429).",
        "It is asked again when it said.",
        kind="rate_limited",
        details={"retry": True, "wait_seconds": max(1.0, wait)},
    )


def _refusal(error: Any) -> SpotifyError:
    """What an authority that gave no token means."""
    response = getattr(error.__context__, "response", None)
    status, headers = getattr(response, "status_code", 400), getattr(response, "headers", {})
    if status == 429:
        return _busy(None, headers)
    if status >= 500:
        return _fault(SpotifyException(status, -1, ""))
    if error.error == "invalid_grant":
        return sign_in_first("Spotify does not accept the sign-in any more.")
    return SpotifyError(
        "Spotify does not accept the client: its id or secret is wrong.",
        "Compare them with developer.spotify.com, then: soundforge restart.",
        kind="not_configured",
    )
