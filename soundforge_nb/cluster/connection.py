"""A client's connection to the application: calls with a time limit, and topics followed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import dask
import distributed
from distributed.comm.core import CommClosedError

from soundforge_nb.cluster.settings import OUTBOUND_TOPIC
from soundforge_nb.errors import (
    AccessRefused,
    ConnectionLost,
    NoApplication,
    SoundforgeError,
    UsageError,
    from_json,
)

log = logging.getLogger(__name__)

Listener = Callable[[dict[str, Any]], None]

#: How often a waiting call looks whether the application still lives.
_LOOK_SECONDS = 1.0
_FOLLOW_SECONDS = 5.0
#: Dask tells of lost connections in the notebook; what matters of it becomes a sentence of ours.
_NOISY_LOGGERS = ("distributed.client", "distributed.core", "distributed.batched", "distributed.comm.tcp")


class Connection:
    """One Dask client of our own making; safe to use from any thread.

    Parameters
    ----------
    address : str
        Of the Dask scheduler that hosts the application.
    security : distributed.Security
    timeout_seconds : float
        For each call.
    is_alive : callable
        Asked while a call waits: whether the application's process still runs, as far as one can see.

    Raises
    ------
    AccessRefused
        The keys were not accepted.
    NoApplication
        Nothing answers at the address.
    UsageError
        It is no address.
    """

    def __init__(
        self,
        address: str,
        security: Any,
        *,
        timeout_seconds: float,
        is_alive: Callable[[], bool] = lambda: True,
    ) -> None:
        self.address = address
        self._is_alive = is_alive
        self._timeout_seconds = timeout_seconds
        self._listeners: list[Listener] = []
        self._lock = threading.Lock()
        self._closed = False
        _quiet()
        with dask.config.set({"distributed.client.heartbeat": "2s"}):
            self._client = _connected(address, security, timeout_seconds)

    def call(self, method: str, *, timeout_seconds: float | None = None, **arguments: Any) -> Any:
        """Call the application; returns JSON, or bytes where the call gives bytes.

        Raises
        ------
        SoundforgeError
            What the application answered.
        ConnectionLost
            It did not answer in time, or went away.
        """
        limit = self._timeout_seconds if timeout_seconds is None else timeout_seconds
        if self._closed:
            raise ConnectionLost("This connection was closed.", "Connect again.")
        text = json.dumps(arguments)
        try:
            answer = self._client.sync(self._ask, method, text, limit, callback_timeout=limit + 5)
        except TimeoutError as error:
            raise ConnectionLost(
                f"The application did not answer {method} within {limit:g} s.",
                "It may be busy: try again, or look at soundforge status.",
                kind="timeout",
            ) from error
        # Whatever it is called: faults of the application come as answers, and a connection that breaks while
        # it is being made shows itself as errors of many kinds.
        except Exception as error:
            raise ConnectionLost(
                f"The connection to the application was lost ({type(error).__name__}).",
                "Nothing is lost: connect again.",
            ) from error
        if answer is None:
            # Any Dask scheduler answers so to what it does not know.
            raise NoApplication(
                f"The Dask scheduler at {self.address} hosts no soundforge application.",
                "Start one: soundforge serve",
            )
        if "error" in answer:
            raise from_json(json.loads(answer["error"]))
        return answer["bytes"] if "bytes" in answer else json.loads(answer["ok"])

    async def _ask(self, method: str, arguments: str, limit: float) -> dict[str, Any] | None:
        scheduler = self._client.scheduler
        if scheduler is None:
            raise CommClosedError("the Dask client gave up")
        call = asyncio.ensure_future(scheduler.soundforge(method=method, arguments=arguments))
        until = time.monotonic() + limit
        try:
            # In slices: after the death of the scheduler Dask would try for half a minute.
            while not (await asyncio.wait([call], timeout=_LOOK_SECONDS))[0]:
                if time.monotonic() > until:
                    raise TimeoutError
                if not self._is_alive():
                    raise CommClosedError("the application's process is gone")
            answer: dict[str, Any] | None = call.result()
        finally:
            call.cancel()
        return answer

    def follow(self, listener: Listener) -> Callable[[], None]:
        """Have `listener` told each outbound message from now on, in Dask's thread; returns what ends it."""
        with self._lock:
            first = not self._listeners
            self._listeners.append(listener)
        if first:
            # One subscription a client: Dask replaces a handler by the next one.
            self._client.subscribe_topic(OUTBOUND_TOPIC, self._fan_out)
            # Dask tells the scheduler within a moment. The call that comes next may be quicker than that, and
            # what it sets going would be missed.
            with contextlib.suppress(SoundforgeError):
                self.call("follow", client=self._client.id, timeout_seconds=_FOLLOW_SECONDS)

        def unfollow() -> None:
            with self._lock, contextlib.suppress(ValueError):
                self._listeners.remove(listener)

        return unfollow

    def _fan_out(self, event: tuple[float, dict[str, Any]]) -> None:
        for listener in list(self._listeners):
            try:
                listener(event[1])
            except Exception:
                log.exception("a listener raised and is dropped")
                with self._lock, contextlib.suppress(ValueError):
                    self._listeners.remove(listener)

    def close(self) -> None:
        """Let go; jobs go on."""
        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(Exception):
            self._client.close(timeout=2)


def _connected(address: str, security: Any, timeout_seconds: float) -> distributed.Client:
    _knock(address, timeout_seconds)
    try:
        return distributed.Client(
            address,
            security=security,
            timeout=timeout_seconds,
            set_as_default=False,
            name="forge",
        )
    except (OSError, TimeoutError, RuntimeError, ValueError) as error:
        text = f"{error} {error.__cause__}"
        if "certificate" in text.lower() or "ssl" in text.lower() or "handshake" in text.lower():
            raise AccessRefused(
                f"The application at {address} did not accept the keys.",
                "Use the keys of its data folder (the folder tls in it).",
            ) from error
        raise _nobody(address) from error


def _knock(address: str, timeout_seconds: float) -> None:
    """See that somebody listens: a Dask client that never came up is slow and noisy to be rid of."""
    scheme, _, place = address.partition("://")
    host, _, tcp_port = place.rpartition(":")
    if scheme != "tls" or not host or not tcp_port.isdecimal():
        raise UsageError(
            f"{address!r} is no address of an application.",
            "It looks like tls://host:8786; see scheduler.json.",
        )
    try:
        socket.create_connection((host.strip("[]"), int(tcp_port)), timeout_seconds).close()
    except (OSError, OverflowError) as error:
        raise _nobody(address) from error


def _nobody(address: str) -> NoApplication:
    return NoApplication(f"Nothing answers at {address}.", "Check the address, or start it: soundforge serve")


def _quiet() -> None:
    for name in _NOISY_LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL)
