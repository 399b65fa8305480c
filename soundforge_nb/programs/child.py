"""The child's side of a port: stdout is the protocol, stdin is the request and the lifeline.

A program calls `run` with its name and a handler. The handler gets the request (a dict) and a function
``report(percent, message)``, and returns the result (a dict) or raises.

The request comes on stdin, never in the arguments, so that no path of a person's shows in ``ps``. After it
stdin stays open; its end means that the parent is gone, and the child ends at once. A developer at a shell
puts ``"detached": true`` into the request, and then only the work's own end ends it::

    echo '{"path": "song.wav", "detached": true}' | python -m soundforge_nb.programs.analyze
"""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

from soundforge_nb.errors import SoundforgeError
from soundforge_nb.ports.protocol import (
    MAX_LINE_BYTES,
    Failure,
    Hello,
    Message,
    Progress,
    Result,
    decode_request,
    encode,
)

Report = Callable[[int, str], None]
Handler = Callable[[dict[str, Any], Report], dict[str, Any]]

#: At most ten progress lines a second.
PROGRESS_INTERVAL_SECONDS = 0.1
_PR_SET_PDEATHSIG = 1


def run(program: str, handler: Handler) -> NoReturn:
    """Serve one request and end the process: exit status 0 with a result, 1 with an error.

    Parameters
    ----------
    program : str
        The name in the hello line.
    handler : callable
        ``handler(request, report) -> result``; the result is JSON without NaN.
    """
    _default_signals()
    parent = os.getppid()
    channel = _Channel(_private_stdout())
    channel.send(Hello(program, _version()))
    try:
        request = decode_request(_request_line())
    except ValueError as error:
        channel.end(Failure("usage", f"The request can't be read: {error}.", "Send one JSON object."))
    if not request.get("detached"):
        _end_with(parent)
    try:
        message: Message = Result(handler(request, _Reporter(channel)))
    except BaseException as error:
        message = failure(error)
    channel.end(message)


def failure(error: BaseException) -> Failure:
    """What an exception becomes on the wire; one that nobody foresaw goes to the log in full."""
    if isinstance(error, SoundforgeError):
        wait = float(error.details.get("wait_seconds") or 0.0)
        return Failure(error.kind, error.message, error.remedy, retry=error.retryable, wait_seconds=wait)
    traceback.print_exception(error, file=sys.stderr)
    if isinstance(error, MemoryError) or _is_torch_memory_error(error):
        return Failure(
            "out_of_memory",
            "The memory did not suffice.",
            "Run fewer jobs at once, or choose shorter segments.",
            retry=True,
        )
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Failure("disk_full", "The disk is full.", "Make room, then try again.", retry=True)
    return Failure(
        "internal",
        f"The program failed in a way nobody foresaw ({type(error).__name__}: {error}).",
        "The log of the job has the traceback.",
        retry=True,
    )


def _is_torch_memory_error(error: BaseException) -> bool:
    # torch raises RuntimeErrors where an allocation fails, on each device with other words.
    text = str(error)
    return isinstance(error, RuntimeError) and ("out of memory" in text or "can't allocate memory" in text)


def _default_signals() -> None:
    # A parent may have had these ignored or handled; here they just end the process, without a traceback.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def _private_stdout() -> int:
    """Move the protocol to a file descriptor of its own; what anybody prints goes to stderr."""
    sys.stdout.flush()
    private = os.dup(1)
    os.dup2(2, 1)
    return private


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("soundforge_nb")
    except PackageNotFoundError:
        return "unknown"


def _request_line() -> bytes:
    # By os.read: a buffered reader would swallow the end of the stream that the watch waits for.
    pieces = b""
    while b"\n" not in pieces:
        piece = os.read(0, 1 << 16)
        if not piece:
            break
        pieces += piece
        if len(pieces) > MAX_LINE_BYTES:
            raise ValueError("it is too long")
    if not pieces:
        _end_at_once()
    return pieces.partition(b"\n")[0]


def _end_with(parent: int) -> None:
    """End this process as soon as its parent is gone."""
    threading.Thread(target=_watch_stdin, name="stdin watch", daemon=True).start()
    if sys.platform == "linux":
        # For the case that a sibling has inherited our stdin's other end, so that it never closes.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            _end_at_once()


def _watch_stdin() -> None:
    try:
        while os.read(0, 1 << 12):
            pass
    except OSError:
        pass
    _end_at_once()


def _end_at_once() -> NoReturn:
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


class _Channel:
    """The protocol's stdout."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def send(self, message: Message) -> None:
        line = memoryview(encode(message))
        try:
            while line:
                line = line[os.write(self._descriptor, line) :]
        except OSError:
            # Nobody reads any more: the parent is gone.
            _end_at_once()

    def end(self, message: Message) -> NoReturn:
        try:
            self.send(message)
        except (ValueError, TypeError) as error:
            # The result holds a NaN, or something that is no JSON: a fault of the program's own.
            message = failure(error)
            self.send(message)
        sys.stderr.flush()
        # Not sys.exit: threads of libraries and their atexit handlers could hold up a finished job.
        os._exit(0 if isinstance(message, Result) else 1)


class _Reporter:
    """Progress that never goes back, in whole percents, at most ten times a second."""

    def __init__(self, channel: _Channel) -> None:
        self._channel = channel
        self._percent = -1
        self._next_seconds = 0.0
        self._lock = threading.Lock()

    def __call__(self, percent: int, message: str) -> None:
        percent = max(0, min(100, int(percent)))
        now = time.monotonic()
        with self._lock:
            if percent <= self._percent or (now < self._next_seconds and percent < 100):
                return
            self._percent, self._next_seconds = percent, now + PROGRESS_INTERVAL_SECONDS
            self._channel.send(Progress(percent, message))
