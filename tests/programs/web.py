"""A web server on loopback that does what a test says: redirects, breaks off, lies about its ranges."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Answer = Callable[["Request"], None]


class Request(BaseHTTPRequestHandler):
    """One request, with shorthands for answering it."""

    protocol_version = "HTTP/1.1"
    server: Web

    def do_GET(self) -> None:
        self.close_connection = True
        self.server.seen.append((self.path, dict(self.headers)))
        answer = self.server.answers.get(self.path.partition("?")[0])
        if answer is None:
            self.say(404)
        else:
            answer(self)

    do_POST = do_GET

    def say(self, status: int, body: bytes = b"", **headers: str) -> None:
        """Answer; underscores in header names stand for dashes."""
        self.send_response(status)
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        for name, value in ({"Content-Length": str(len(body))} | names).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


class Web(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, host: str) -> None:
        super().__init__((host, 0), Request)
        self.answers: dict[str, Answer] = {}
        self.seen: list[tuple[str, dict[str, str]]] = []

    @property
    def url(self) -> str:
        return f"http://{self.server_address[0]!s}:{self.server_port}"

    def requests(self, path: str) -> int:
        return sum(seen.partition("?")[0] == path for seen, _ in self.seen)

    def serve(self, path: str, answer: Answer) -> str:
        self.answers[path] = answer
        return self.url + path

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away in the middle is what some tests are about."""


@contextmanager
def web_server(host: str = "127.0.0.1") -> Iterator[Web]:
    server = Web(host)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def file_answer(
    content: bytes, etag: str = '"one"', kind: str = "audio/wav", upto: int | None = None
) -> Answer:
    """Serve a file as good servers do, ranges included; `upto` breaks the first, whole answer off there."""

    def answer(request: Request) -> None:
        wanted = request.headers.get("Range", "")
        same = request.headers.get("If-Range", etag) == etag
        if wanted.startswith("bytes=") and same:
            start = int(wanted[6:].partition("-")[0])
            if start >= len(content):
                request.say(416, Content_Range=f"bytes */{len(content)}")
                return
            span = f"bytes {start}-{len(content) - 1}/{len(content)}"
            request.say(206, content[start:], Content_Range=span, ETag=etag, Content_Type=kind)
            return
        size = str(len(content))
        request.say(200, content[:upto], Content_Length=size, ETag=etag, Content_Type=kind)

    return answer
