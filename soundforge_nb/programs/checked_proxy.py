"""The way out for downloaders of others: each host they ask for is checked here, and connected to from here.

A program like yt-dlp follows redirects, and what pages name, on its own. It is told of a proxy on loopback
that resolves each name once, by the rule for links, and connects to the very address that passed. Others on
this machine can't use it: a word is wanted, which stands in the program's environment alone.
"""

from __future__ import annotations

import base64
import re
import secrets
import select
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import SplitResult

from soundforge_nb.errors import DownloadError
from soundforge_nb.programs.addresses import connect_checked
from soundforge_nb.programs.http_answers import too_big
from soundforge_nb.programs.http_link import Limits, web_parts

_HEAD_BYTES = 1 << 16
_CHUNK_BYTES = 1 << 16
#: Pages, lists and pictures on the way to the audio.
_BESIDES_BYTES = 64_000_000
#: What a client says to a proxy alone, and how it would like this connection to go on.
_OF_THE_HOP = ("connection:", "keep-alive:", "proxy-authorization:", "proxy-connection:", "host:")
_OF_THE_ANSWER_S_HOP = (b"connection:", b"keep-alive:", b"proxy-connection:")


class CheckedProxy(socketserver.ThreadingTCPServer):
    """A proxy for HTTP and, by CONNECT, for HTTPS; see `checked_proxy`.

    Attributes
    ----------
    word : str
        What a client must know.
    refusal : DownloadError or None
        Why the first connection that was refused was refused.
    """

    daemon_threads = True
    # The end of the program is the end of its connections: nobody waits for them.
    block_on_close = False

    def __init__(self, limits: Limits, shown: str) -> None:
        super().__init__(("127.0.0.1", 0), _Client)
        self.limits = limits
        self.shown = shown
        self.word = secrets.token_urlsafe(24)
        self.refusal: DownloadError | None = None
        self._received_bytes = 0
        self._lock = threading.Lock()

    @property
    def environment(self) -> dict[str, str]:
        """By which a program is told of it; nothing of this is an argument, which everyone could list."""
        url = f"http://soundforge:{self.word}@127.0.0.1:{self.server_address[1]}"
        names = ("http_proxy", "https_proxy", "ftp_proxy", "all_proxy")
        return {form: url for name in names for form in (name, name.upper())}

    def refuse(self, error: DownloadError) -> None:
        with self._lock:
            self.refusal = self.refusal or error

    def count(self, received_bytes: int) -> None:
        """Count what came.

        Raises
        ------
        DownloadError
            It is more than may come: a program is told a size by the other side, which may lie.
        """
        with self._lock:
            self._received_bytes += received_bytes
        if self._received_bytes > self.limits.max_bytes + _BESIDES_BYTES:
            raise too_big(self.shown, self.limits.max_bytes)

    def handle_error(self, request: object, client_address: object) -> None:
        """A side that goes away is an end like another; the program says what it missed."""


@contextmanager
def checked_proxy(limits: Limits, shown: str) -> Iterator[CheckedProxy]:
    """Serve a proxy on loopback.

    Parameters
    ----------
    limits : Limits
        Whether private addresses are allowed, how long a side may keep silent, and how much may come.
    shown : str
        What is fetched, as it may stand in a sentence.
    """
    with CheckedProxy(limits, shown) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, args=(0.05,), name="checked proxy", daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join()


class _Client(socketserver.BaseRequestHandler):
    """One connection of the program: one request, or one tunnel."""

    server: CheckedProxy
    request: socket.socket

    def handle(self) -> None:
        self.request.settimeout(self.server.limits.stall_seconds)
        head, rest = self._head()
        words = head[0].split(" ")
        if len(words) != 3:
            self._answer("400 Bad Request")
        elif not self._is_known(head):
            self._answer("407 Proxy Authentication Required", 'Proxy-Authenticate: Basic realm="checked"')
        else:
            self._serve(words[0], words[1], head[1:], rest)

    def _serve(self, method: str, target: str, headers: list[str], rest: bytes) -> None:
        secure = method == "CONNECT"
        try:
            parts = web_parts(f"https://{target}" if secure else target, self.server.shown)
            may_send = None if secure else _body_bytes(headers)
            other = self._connected(parts)
        except DownloadError as error:
            # A host that is not there is no refusal: the program may know another.
            if error.kind != "unavailable":
                self.server.refuse(error)
            return self._answer("502 Bad Gateway" if error.kind == "unavailable" else "403 Forbidden")
        except ValueError:
            return self._answer("400 Bad Request")
        except OSError:
            return self._answer("502 Bad Gateway")
        with other:
            if secure:
                self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                other.sendall(_origin_head(method, parts, headers))
            try:
                self._relay(other, rest, may_send)
            except DownloadError as error:
                self.server.refuse(error)

    def _connected(self, parts: SplitResult) -> socket.socket:
        assert parts.hostname is not None
        limits = self.server.limits
        return connect_checked(
            parts.scheme,
            parts.hostname,
            parts.port or (443 if parts.scheme == "https" else 80),
            allow_private=limits.allow_private,
            stall_seconds=limits.stall_seconds,
        )

    def _head(self) -> tuple[list[str], bytes]:
        """The lines of what a client asks, and what it has sent after them."""
        came = b""
        while b"\r\n\r\n" not in came:
            piece = self.request.recv(_CHUNK_BYTES)
            if not piece or len(came) > _HEAD_BYTES:
                raise ConnectionError("no head")
            came += piece
        head, _, rest = came.partition(b"\r\n\r\n")
        return head.decode("latin-1").split("\r\n"), rest

    def _is_known(self, head: list[str]) -> bool:
        told = base64.b64encode(f"soundforge:{self.server.word}".encode()).decode()
        return any(
            secrets.compare_digest(value.strip().encode("latin-1"), f"Basic {told}".encode())
            for name, _, value in (line.partition(":") for line in head[1:])
            if name.lower() == "proxy-authorization"
        )

    def _relay(self, other: socket.socket, rest: bytes, left: int | None) -> None:
        """Carry bytes both ways until a side ends.

        Parameters
        ----------
        other : socket
        rest : bytes
            What the client has sent already.
        left : int or None
            How many bytes the client may send: one that asks for something else on this connection would be
            heard by the wrong host. None: any number.
        """
        sides = {self.request: other, other: self.request}
        # A tunnel's answers are nobody's business; what they say to the client of its connection is ours.
        answer = None if left is None else _AnswerHead()
        self._pass_on(rest, other, left)
        left = None if left is None else left - len(rest)
        while True:
            ready, _, _ = select.select(list(sides), [], [], self.server.limits.stall_seconds)
            for side in ready:
                chunk = side.recv(_CHUNK_BYTES)
                if side is other:
                    self.server.count(len(chunk))
                    self.request.sendall(chunk if answer is None else answer.take(chunk))
                elif chunk:
                    self._pass_on(chunk, other, left)
                    left = None if left is None else left - len(chunk)
                if not chunk:
                    return
            if not ready:
                return

    def _pass_on(self, chunk: bytes, other: socket.socket, left: int | None) -> None:
        if left is not None and len(chunk) > left:
            raise ConnectionError("a second request")
        other.sendall(chunk)

    def _answer(self, status: str, header: str = "") -> None:
        lines = [f"HTTP/1.1 {status}", "Content-Length: 0", "Connection: close", *filter(None, [header])]
        with suppress(OSError):
            self.request.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))


class _AnswerHead:
    """The head of an answer: it says that the connection ends with it, whatever the server said.

    A client that kept the connection for its next request would find it closed.
    """

    def __init__(self) -> None:
        self._came: bytes | None = b""

    def take(self, chunk: bytes) -> bytes:
        """What of it goes on now; an empty chunk is the end."""
        if self._came is None:
            return chunk
        self._came += chunk
        head, end, rest = self._came.partition(b"\r\n\r\n")
        if not end and chunk and len(self._came) <= _HEAD_BYTES:
            return b""
        came, self._came = self._came, None
        if not end:
            return came
        if re.match(rb"HTTP/1\.\d 1\d\d ", head):
            # Not the answer yet.
            self._came = b""
            return head + end + self.take(rest) if rest else head + end
        lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(_OF_THE_ANSWER_S_HOP)]
        return b"\r\n".join([*lines, b"Connection: close", b"", b""]) + rest


def _origin_head(method: str, parts: SplitResult, headers: list[str]) -> bytes:
    """A request as a server wants it; its host is the one that was connected to."""
    path = parts.path or "/"
    target = f"{path}?{parts.query}" if parts.query else path
    kept = [line for line in headers if not line.lower().startswith(_OF_THE_HOP)]
    host = parts.netloc.rpartition("@")[2]
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", *kept, "Connection: close", "", ""]
    return "\r\n".join(lines).encode("latin-1")


def _body_bytes(headers: list[str]) -> int:
    """How long a request's body is.

    Raises
    ------
    ValueError
        It is not said.
    """
    told = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in headers)}
    if "transfer-encoding" in told:
        raise ValueError("a body of unknown length")
    return int(told.get("content-length") or 0)
