"""Moves bytes between a port and its child, and notices the child's end."""

from __future__ import annotations

import os
import selectors
import time
from collections.abc import Callable
from types import TracebackType
from typing import IO

from soundforge_nb.ports.child import Child

_CHUNK_BYTES = 64 * 1024
#: How often to look for the exit where no descriptor tells of it (macOS).
_LOOK_SECONDS = 0.02
#: The longest sleep: an interrupt that another thread's signal or `interrupt_main` brings wakes nobody.
_SLEEP_SECONDS = 0.5


class Pump:
    """Feeds the request, hands on output and log in the pieces they come in; never holds them.

    The end of the pipes is no sign of the child's end, since a grandchild may hold them: the exit is
    watched for by itself.
    """

    def __init__(
        self,
        child: Child,
        request: bytes,
        on_output: Callable[[bytes], None],
        on_log: Callable[[bytes], None],
    ) -> None:
        process = child.process
        if process is None or not (process.stdin and process.stdout and process.stderr):
            raise ValueError("a pump needs a started child")
        self._child = child
        self._request = memoryview(request)
        self._selector = selectors.DefaultSelector()
        self._stdin = process.stdin
        self._open = {process.stdout: on_output, process.stderr: on_log}
        self._exit_fd = os.pidfd_open(process.pid) if hasattr(os, "pidfd_open") else -1
        for stream in (*self._open, self._stdin):
            os.set_blocking(stream.fileno(), False)
        for stream in self._open:
            self._selector.register(stream, selectors.EVENT_READ, self._read)
        self._selector.register(self._stdin, selectors.EVENT_WRITE, self._write)
        self._selector.register(child.wake_fd, selectors.EVENT_READ, self._wake)
        if self._exit_fd >= 0:
            self._selector.register(self._exit_fd, selectors.EVENT_READ, self._exit)

    def __enter__(self) -> Pump:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._selector.close()
        if self._exit_fd >= 0:
            os.close(self._exit_fd)

    def run(self, until: float, stop: Callable[[], bool] = lambda: False) -> bool:
        """Move bytes until the child has exited (True), or `stop` says so or the time is over (False).

        Parameters
        ----------
        until : float
            A time of `time.monotonic`.
        stop : callable
            Asked after each piece.
        """
        while not self._child.has_exited():
            left = until - time.monotonic()
            if left <= 0 or stop():
                return False
            self._step(min(left, _SLEEP_SECONDS if self._exit_fd >= 0 else _LOOK_SECONDS))
        return True

    def drain(self, until: float) -> None:
        """Read what a child that is over left in its pipes."""
        while self._open and time.monotonic() < until:
            self._step(until - time.monotonic())

    def _step(self, timeout_seconds: float) -> None:
        for key, _ in self._selector.select(max(0.0, timeout_seconds)):
            key.data(key.fileobj)

    def _read(self, stream: IO[bytes]) -> None:
        try:
            piece = os.read(stream.fileno(), _CHUNK_BYTES)
        except BlockingIOError:
            return
        if piece:
            self._open[stream](piece)
        else:
            self._selector.unregister(stream)
            del self._open[stream]

    def _write(self, stream: IO[bytes]) -> None:
        # stdin stays open after the request: its end means "your parent is gone".
        try:
            self._request = self._request[os.write(stream.fileno(), self._request) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self._request = self._request[:0]  # its exit will say why it did not listen
        if not self._request:
            self._selector.unregister(stream)

    def _wake(self, fd: int) -> None:
        self._selector.unregister(fd)  # `stop` knows the rest

    def _exit(self, fd: int) -> None:
        self._selector.unregister(fd)  # `run` and `drain` ask the child itself
