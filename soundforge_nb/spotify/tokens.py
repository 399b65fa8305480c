"""Tokens: kept in a file that only its owner can read, renewed by one process at a time."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal, Protocol

from soundforge_nb.config import Config
from soundforge_nb.errors import SpotifyError
from soundforge_nb.lifecycle.clock import Clock, SystemClock
from soundforge_nb.lifecycle.private_files import write_private

#: A token of the application itself, for tracks and albums; one of a person who signed in, for playlists.
Whose = Literal["app", "user"]
WHOSE: tuple[Whose, ...] = ("app", "user")
#: A token that ends within this is not used any more.
MARGIN_SECONDS = 60.0


@dataclass(frozen=True)
class Token:
    """One token; what must not be seen is in no repr."""

    access: str = field(repr=False)
    issued_at: datetime
    lives_seconds: float
    refresh: str = field(default="", repr=False)
    scope: str = ""

    def is_good(self, now: datetime) -> bool:
        """Whether it can be used for a while yet; a clock that was set back makes it a doubtful one."""
        age = now - self.issued_at
        return timedelta(0) <= age < timedelta(seconds=self.lives_seconds - MARGIN_SECONDS)

    @classmethod
    def from_answer(cls, answer: Mapping[str, Any], now: datetime, refresh: str = "") -> Token:
        """What an authority answered.

        Raises
        ------
        SpotifyError
            It is no token.
        """
        access, lives = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(access, str) or not access or not isinstance(lives, (int, float)) or lives <= 0:
            raise SpotifyError(
                "Spotify answered a request for a token with something else.",
                "It is tried again.",
                kind="broken",
                details={"retry": True},
            )
        # A new one takes the old one's place; where none comes, the old one stays good.
        renewed = answer.get("refresh_token")
        scope = answer.get("scope")
        return cls(
            access,
            now,
            float(lives),
            renewed if isinstance(renewed, str) and renewed else refresh,
            scope if isinstance(scope, str) else "",
        )


@dataclass(frozen=True)
class Credentials:
    """An application as Spotify knows it."""

    client_id: str
    client_secret: str = field(default="", repr=False)


class Authority(Protocol):
    """Who gives tokens."""

    def app_token(self) -> Mapping[str, Any]: ...

    def refreshed(self, refresh_token: str) -> Mapping[str, Any]: ...


class TokenFile:
    """The folder with credentials and tokens."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def credentials(self) -> Credentials | None:
        """What the application left for the Dask workers."""
        found = self._read("client.json")
        return Credentials(found["client_id"], found["client_secret"]) if found.get("client_id") else None

    def keep_credentials(self, credentials: Credentials) -> None:
        if self.credentials() != credentials:
            self._write("client.json", vars(credentials))

    def tokens(self, client_id: str) -> dict[str, Token]:
        """The tokens that were given to this client."""
        found = self._read("tokens.json")
        if found.get("client_id") != client_id:
            return {}
        try:
            return {
                whose: Token(**{**entry, "issued_at": datetime.fromisoformat(entry["issued_at"])})
                for whose, entry in found["tokens"].items()
            }
        except (KeyError, TypeError, ValueError, AttributeError):
            # Of another version, or damaged: nothing that can't be had anew.
            return {}

    def keep(self, client_id: str, whose: Whose, token: Token | None) -> None:
        """Keep a token, or with None forget it; call it while holding the lock."""
        tokens = self.tokens(client_id)
        tokens.pop(whose, None)
        if token is not None:
            tokens[whose] = token
        entries = {
            name: {**vars(one), "issued_at": one.issued_at.isoformat()} for name, one in tokens.items()
        }
        self._write("tokens.json", {"client_id": client_id, "tokens": entries})

    @contextmanager
    def lock(self) -> Iterator[None]:
        """One process at a time: a refresh token that was used twice is good for nothing."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _read(self, name: str) -> dict[str, Any]:
        try:
            found = json.loads((self._folder / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _write(self, name: str, content: Any) -> None:
        write_private(self._folder / name, json.dumps(content).encode())


class Tokens:
    """Gives good tokens, renewing them where need be.

    Parameters
    ----------
    config : Config
    clock : Clock, optional
    authority : callable, optional
        Makes the one that gives tokens; by default it asks Spotify.
    """

    def __init__(
        self,
        config: Config,
        *,
        clock: Clock | None = None,
        authority: Callable[[Credentials], Authority] | None = None,
    ) -> None:
        self._config = config
        self._clock = clock or SystemClock()
        self._authority = authority or (lambda credentials: _spotify(config, credentials))
        self.file = TokenFile(config.spotify_folder)

    def credentials(self) -> Credentials:
        """The client that asks.

        Raises
        ------
        SpotifyError
            None is named.
        """
        config = self._config
        kept = self.file.credentials()
        if config.spotify_client_id:
            # A Dask worker is told the id alone; the secret lies in the file.
            same = kept is not None and kept.client_id == config.spotify_client_id
            secret = config.spotify_client_secret or (kept.client_secret if kept and same else "")
            return Credentials(config.spotify_client_id, secret)
        raise SpotifyError(
            "Spotify's links need a client of your own, and none is set.",
            "Make one at developer.spotify.com; set SPOTIPY_CLIENT_ID and SPOTIPY_CLIENT_SECRET (or "
            "spotify_client_id and spotify_client_secret in soundforge.toml); then: soundforge restart.",
            kind="not_configured",
        )

    def known(self) -> dict[str, Token]:
        """The tokens that are kept, good or not."""
        return self.file.tokens(self.credentials().client_id)

    def access(self, whose: Whose) -> str:
        """A token to ask with.

        Raises
        ------
        SpotifyError
            There is none, and none can be had.
        """
        token = self.known().get(whose)
        if token is None or not token.is_good(self._clock.now()):
            token = self.renewed(whose)
        return token.access

    def renewed(self, whose: Whose, refused: str | None = None) -> Token:
        """A fresh token; who comes second gets what the first one got.

        Parameters
        ----------
        whose : {"app", "user"}
        refused : str, optional
            The token that was not accepted, however good it looks. Without it a good one is fresh enough.
        """
        return self._renewed(
            whose, lambda token: token.access != refused and token.is_good(self._clock.now())
        )

    def renewed_after(self, whose: Whose, issued_at: datetime) -> Token:
        """A token that was issued later than this."""
        return self._renewed(whose, lambda token: token.issued_at > issued_at)

    def signed_in(self, answer: Mapping[str, Any]) -> Token:
        """Keep what a person's signing in gave."""
        token = Token.from_answer(answer, self._clock.now())
        with self.file.lock():
            self.file.keep(self.credentials().client_id, "user", token)
        return token

    def sign_out(self) -> None:
        """Forget the person's tokens."""
        with self.file.lock():
            self.file.keep(self.credentials().client_id, "user", None)

    def _renewed(self, whose: Whose, is_fresh: Callable[[Token], bool]) -> Token:
        credentials = self.credentials()
        with self.file.lock():
            token = self.file.tokens(credentials.client_id).get(whose)
            if token is not None and is_fresh(token):
                return token
            try:
                token = self._asked(whose, credentials, token)
            except SpotifyError as error:
                if error.kind == "sign_in" and token is not None:
                    # It will never be good again.
                    self.file.keep(credentials.client_id, whose, None)
                raise
            self.file.keep(credentials.client_id, whose, token)
            return token

    def _asked(self, whose: Whose, credentials: Credentials, old: Token | None) -> Token:
        authority = self._authority(credentials)
        if whose == "app":
            if not credentials.client_secret:
                raise SpotifyError(
                    "The secret of the Spotify client is not set.",
                    "Set SPOTIPY_CLIENT_SECRET, then: soundforge restart.",
                    kind="not_configured",
                )
            return Token.from_answer(authority.app_token(), self._clock.now())
        if old is None or not old.refresh:
            raise sign_in_first()
        return Token.from_answer(authority.refreshed(old.refresh), self._clock.now(), old.refresh)


def sign_in_first(
    message: str = "Spotify shows a playlist only to a person who has signed in.",
) -> SpotifyError:
    return SpotifyError(message, "Sign in once: forge.sign_in_to_spotify().", kind="sign_in")


def _spotify(config: Config, credentials: Credentials) -> Authority:
    # Here, not above: spotipy and requests are loaded by those who ask.
    from soundforge_nb.spotify.web import Accounts

    return Accounts(config, credentials)
