"""Keeps Spotify's tokens fresh before they end, so that nobody who asks has to wait for one."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

from soundforge_nb.config import Config
from soundforge_nb.errors import SpotifyError
from soundforge_nb.lifecycle.clock import Clock
from soundforge_nb.lifecycle.supervisor import Service
from soundforge_nb.spotify.tokens import MARGIN_SECONDS, WHOSE, Credentials, Tokens, Whose

log = logging.getLogger(__name__)

#: Tokens live for 3,600 s.
REFRESH_SECONDS = 3500.0
#: A look at least so often: machines sleep, and then no timer is right.
LOOK_SECONDS = 60.0
#: After a failure: doubled each time, up to the look.
_AGAIN_SECONDS = 5.0


class TokenRefresher(Service):
    """Renews the tokens that are there; the first one is asked for by who needs it.

    Where the network is away it goes on trying, and nobody is worse off: whoever asks renews a token that
    has ended by himself (`Tokens.access`).
    """

    def __init__(self, config: Config, clock: Clock, tokens: Tokens | None = None) -> None:
        self._config = config
        self._clock = clock
        self._tokens = tokens or Tokens(config, clock=clock)
        self._failures: dict[Whose, int] = {}
        self._not_before: dict[Whose, float] = {}

    async def start(self) -> None:
        """Leave the client's secret where Dask workers find it; doing it again changes nothing."""
        config = self._config
        if config.spotify_client_id and config.spotify_client_secret:
            credentials = Credentials(config.spotify_client_id, config.spotify_client_secret)
            try:
                await asyncio.to_thread(self._tokens.file.keep_credentials, credentials)
            except OSError as error:
                # The house stands without Spotify.
                log.warning("Spotify's credentials can't be kept: %s", error.strerror)

    async def run(self) -> None:
        while True:
            await asyncio.sleep(await self.tick())

    async def tick(self) -> float:
        """Renew what is due; returns how many seconds the next look may wait."""
        if not self._config.spotify_client_id:
            return LOOK_SECONDS
        return min([LOOK_SECONDS, *[await asyncio.to_thread(self._see_to, whose) for whose in WHOSE]])

    def _see_to(self, whose: Whose) -> float:
        token = self._tokens.known().get(whose)
        if token is None:
            return LOOK_SECONDS
        # One that lives shorter than all of today's is renewed early enough, and not without end.
        age = min(REFRESH_SECONDS, max(token.lives_seconds / 2, token.lives_seconds - MARGIN_SECONDS))
        due = token.issued_at + timedelta(seconds=age)
        left = (due - self._clock.now()).total_seconds()
        wait = max(left, self._not_before.get(whose, 0.0) - self._clock.monotonic())
        if wait > 0:
            return wait
        try:
            self._tokens.renewed_after(whose, token.issued_at)
        except (SpotifyError, OSError) as error:
            return self._failed(whose, error)
        self._failures.pop(whose, None)
        self._not_before.pop(whose, None)
        return LOOK_SECONDS

    def _failed(self, whose: Whose, error: SpotifyError | OSError) -> float:
        failures = self._failures[whose] = self._failures.get(whose, 0) + 1
        wait = min(LOOK_SECONDS, _AGAIN_SECONDS * 2.0 ** min(failures - 1, 10))
        if isinstance(error, SpotifyError):
            wait = max(wait, float(error.details.get("wait_seconds") or 0.0))
            if not error.retryable:
                # Asked the same again, an authority says the same again; whoever needs a token will hear it.
                wait = REFRESH_SECONDS
        self._not_before[whose] = self._clock.monotonic() + wait
        log.warning("Spotify's token (%s) could not be renewed: %s", whose, error)
        return wait
