"""A person's signing in at Spotify: where to go, and what to make of where the browser came back to."""

from __future__ import annotations

import secrets
import threading
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from soundforge_nb.config import Config
from soundforge_nb.errors import SpotifyError
from soundforge_nb.lifecycle.clock import Clock
from soundforge_nb.spotify.tokens import Tokens

#: A sign-in that takes longer is begun anew.
LASTS_SECONDS = 600.0
#: Those begun and not finished: each page that was opened twice is one.
_MOST_PENDING = 20


@dataclass(frozen=True)
class _Pending:
    verifier: str = field(repr=False)
    began: float


class SignIn:
    """PKCE: no secret is needed, and a code is worth nothing to who only saw it."""

    def __init__(self, config: Config, clock: Clock, tokens: Tokens | None = None) -> None:
        self._config = config
        self._clock = clock
        self._tokens = tokens or Tokens(config, clock=clock)
        self._pending: dict[str, _Pending] = {}
        self._lock = threading.Lock()

    def begin(self) -> dict[str, str]:
        """Where a person says yes.

        Raises
        ------
        SpotifyError
            No client is set.
        """
        from soundforge_nb.spotify.web import Accounts, redirect_uri

        state = secrets.token_urlsafe(24)
        url, verifier = Accounts(self._config, self._tokens.credentials()).authorization(state)
        with self._lock:
            while len(self._pending) >= _MOST_PENDING:
                self._pending.pop(next(iter(self._pending)))
            self._pending[state] = _Pending(verifier, self._clock.monotonic())
        return {"url": url, "redirect_uri": redirect_uri(self._config)}

    def finish(self, address: str) -> None:
        """Change the code that a browser came back with into tokens.

        Parameters
        ----------
        address : str
            The whole address, ``http://127.0.0.1:…/callback?code=…&state=…``.

        Raises
        ------
        SpotifyError
            The person said no, it is not the sign-in that was begun, or Spotify refuses.
        """
        from soundforge_nb.spotify.web import Accounts

        query = _query(address)
        if query.get("error"):
            raise SpotifyError(
                "Signing in was refused in the browser.", "Begin anew, and agree.", kind="sign_in"
            )
        with self._lock:
            # Taken out: a code is good once.
            pending = self._pending.pop(query.get("state", ""), None)
        fresh = pending is not None and self._clock.monotonic() - pending.began <= LASTS_SECONDS
        if pending is None or not fresh or not query.get("code"):
            raise SpotifyError(
                "This is not the address of a sign-in that was begun here in the last ten minutes.",
                "Begin anew with forge.sign_in_to_spotify(), and give the whole address the browser ends at.",
                kind="sign_in",
            )
        accounts = Accounts(self._config, self._tokens.credentials())
        self._tokens.signed_in(accounts.exchanged(query["code"], pending.verifier))

    def out(self) -> None:
        """Forget a person's tokens."""
        self._tokens.sign_out()


def _query(address: str) -> dict[str, str]:
    try:
        return {name: values[0] for name, values in parse_qs(urlsplit(address.strip()).query).items()}
    except ValueError:
        return {}
