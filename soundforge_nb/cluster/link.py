"""A connection that comes back: after a loss, a new Dask client and the same listeners.

Dask's own client never returns to a scheduler that was started anew, so the link keeps what it needs
to open the next `Connection`: how to find (or start) the application, and who listens.
"""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections.abc import Callable
from typing import Any

from soundforge_nb.cluster.connection import Connection, Listener
from soundforge_nb.errors import ConnectError, ConnectionLost

_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 5.0
#: Calls that are told when they are made again: what they ask for may have been done.
_TOLD_AGAIN = frozenset({"insert"})
#: Published on the listeners when the link is new: what they followed may have a gap.
RECONNECTED = {"topic": "connection", "sequence": 0, "body": {"state": "reconnected"}}


class Link:
    """Calls and topics over whichever connection lives now.

    Every call of the application may be repeated safely, so a call that met the loss is made again.

    Parameters
    ----------
    open_connection : callable
        Finds or starts the application and connects to it.
    patience_seconds : float
        How long to try before a loss becomes an error.
    tell : callable
        Told in a sentence when the connection is lost and when it is back.
    """

    def __init__(
        self,
        open_connection: Callable[[], Connection],
        *,
        patience_seconds: float,
        tell: Callable[[str], None] = lambda sentence: None,
    ) -> None:
        self._open = open_connection
        self._patience_seconds = patience_seconds
        self._tell = tell
        self._listeners: list[Listener] = []
        self._lock = threading.RLock()
        self._closed = False
        self._connection = open_connection()
        self._followed: Connection | None = None

    @property
    def address(self) -> str:
        return self._connection.address

    def call(self, method: str, *, timeout_seconds: float | None = None, **arguments: Any) -> Any:
        """As `Connection.call`; a lost connection is opened anew and the call made again.

        Raises
        ------
        ConnectionLost
            It did not come back in time, or it did not answer in time.
        """
        until = time.monotonic() + self._patience_seconds
        while True:
            used = self._connection
            try:
                return used.call(method, timeout_seconds=timeout_seconds, **arguments)
            except ConnectionLost as error:
                # Slow is not lost, and what was closed on purpose stays closed.
                if error.kind == "timeout" or self._closed or time.monotonic() > until:
                    raise
                if method in _TOLD_AGAIN:
                    arguments["again"] = True
                # What came back may be lost again before it answers.
                self._reopen(used)

    def follow(self, listener: Listener) -> Callable[[], None]:
        """As `Connection.follow`, over losses; after one a message of topic ``connection`` comes."""
        with self._lock:
            self._listeners.append(listener)
            self._follow_connection()

        def unfollow() -> None:
            with self._lock, contextlib.suppress(ValueError):
                self._listeners.remove(listener)

        return unfollow

    def close(self) -> None:
        self._closed = True
        self._connection.close()

    def _follow_connection(self) -> None:
        """Once for each connection, however often somebody begins to listen."""
        if self._followed is not self._connection:
            self._followed = self._connection
            self._connection.follow(self._fan_out)

    def _fan_out(self, message: dict[str, Any]) -> None:
        for listener in list(self._listeners):
            listener(message)

    def _reopen(self, lost: Connection) -> None:
        with self._lock:
            if self._connection is not lost:
                # Another thread met the same loss and has seen to it.
                return
            self._tell("The connection to the application was lost; trying again. Nothing is lost.")
            lost.close()
            self._connection = self._patiently()
            if self._listeners:
                self._follow_connection()
        self._tell("The connection is back.")
        self._fan_out(RECONNECTED)

    def _patiently(self) -> Connection:
        until = time.monotonic() + self._patience_seconds
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                return self._open()
            except ConnectError as error:
                if time.monotonic() + pause > until or self._closed:
                    waited = f"The application did not come back within {self._patience_seconds:g} s"
                    raise ConnectionLost(
                        f"{waited}: {error.message}", error.remedy or "Nothing is lost: connect again."
                    ) from error
            # Several clients met the same loss: they do not all come back at one moment.
            time.sleep(pause * random.uniform(0.7, 1.3))  # noqa: S311
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)
