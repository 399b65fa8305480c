"""What a child has said so far. No input, no output: pieces of bytes go in."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from soundforge_nb.ports.program import Program
from soundforge_nb.ports.protocol import (
    PROTOCOL,
    Failure,
    Hello,
    LineBuffer,
    Message,
    Progress,
    Result,
    decode,
)

log = logging.getLogger(__name__)

TAIL_BYTES = 8 * 1024
TAIL_LINES = 40
#: Beyond so many, lines that are not the protocol are counted only: a flood must not fill the log.
_LOGGED_LINES = 20
_LOGGED_BYTES = 200

OnProgress = Callable[[int, str], None]


class Conversation:
    """The state of one exchange.

    Attributes
    ----------
    hello, result, failure
        The messages of these types; the first one counts.
    breach : str
        How the child broke the protocol, or nothing.
    hello_time : float or None
        When the hello came, by `time.monotonic`.
    """

    def __init__(self, program: Program, on_progress: OnProgress | None = None) -> None:
        self.program = program
        self.hello: Hello | None = None
        self.result: Result | None = None
        self.failure: Failure | None = None
        self.breach = ""
        self.hello_time: float | None = None
        self._on_progress = on_progress
        self._progress = Progress(-1)
        self._lines = LineBuffer()
        self._tail = b""
        self._unknown = 0

    @property
    def over(self) -> bool:
        """Nothing that may still come changes the outcome for the better."""
        return bool(self.result or self.failure or self.breach)

    @property
    def stderr_tail(self) -> str:
        """The last lines of the log, as text."""
        lines = self._tail.decode(errors="replace").splitlines()
        return "\n".join(lines[-TAIL_LINES:])

    def take_output(self, piece: bytes) -> None:
        """A piece of stdout."""
        if self.breach:
            return
        try:
            lines = self._lines.feed(piece)
        except OverflowError as error:
            self.breach = f"wrote {error}"
            self._lines = LineBuffer()
            return
        for line in lines:
            self._take_line(line)

    def take_rest(self) -> None:
        """The end of stdout: a last line may lack its newline."""
        rest, self._lines = self._lines.rest, LineBuffer()
        if rest:
            self._take_line(rest)
        if self._unknown > _LOGGED_LINES:
            log.warning("%s wrote %d lines that are not the protocol.", self.program.name, self._unknown)

    def take_log(self, piece: bytes) -> None:
        """A piece of stderr."""
        log.debug("%s: %r", self.program.name, piece)
        self._tail = (self._tail + piece)[-TAIL_BYTES:]

    def _take_line(self, line: bytes) -> None:
        message = decode(line)
        if message is None:
            self._take_unknown(line)
        elif not self.over:
            self._take(message)

    def _take_unknown(self, line: bytes) -> None:
        self._unknown += 1
        if line.strip() and self._unknown <= _LOGGED_LINES:
            log.warning(
                "%s wrote a line that is not the protocol: %r", self.program.name, line[:_LOGGED_BYTES]
            )

    def _take(self, message: Message) -> None:
        if isinstance(message, Failure):
            # Even without a hello: what keeps a program from its hello is worth hearing.
            self.failure = message
        elif isinstance(message, Hello):
            self._take_hello(message)
        elif self.hello is None:
            self.breach = f"sent a {type(message).__name__.lower()} before its hello"
        elif isinstance(message, Result):
            self.result = message
        else:
            self._take_progress(message)

    def _take_hello(self, hello: Hello) -> None:
        if hello.protocol != PROTOCOL:
            self.breach = f"speaks protocol {hello.protocol} of version {hello.version}, not {PROTOCOL}"
        elif hello.program != self.program.name:
            self.breach = f"calls itself {hello.program}"
        if self.hello is None:
            self.hello, self.hello_time = hello, time.monotonic()

    def _take_progress(self, progress: Progress) -> None:
        if self._on_progress is None or progress == self._progress:
            return
        self._progress = progress
        try:
            self._on_progress(progress.percent, progress.message)
        except Exception:
            # Work of minutes is not thrown away because nobody could be told how far it was.
            log.exception("The progress handler of %s raised and is detached.", self.program.name)
            self._on_progress = None
