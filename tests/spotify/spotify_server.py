"""A server on loopback that speaks as Spotify does today, as far as it is asked here.

Of November 2026: no batches (`?ids=`), playlists under `/items` with `item` in each entry and for people who
signed in alone, `limit` at most 50 (10 for an artist's albums), albums' tracks without ISRC, 429 with
`Retry-After`, errors as {"error": {"status", "message"}}.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

CLIENT_ID, CLIENT_SECRET = "client0123456789", "Pl4nted5ecretOfTheClient"
PAGE, ALBUM_PAGE = 50, 10


def spotify_id(number: int) -> str:
    return f"{number:022d}"


def track(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "id": spotify_id(number),
        "type": "track",
        "name": f"Song {number}",
        "is_local": False,
        "duration_ms": 180_000 + number,
        "explicit": False,
        "external_ids": {"isrc": f"DEA1{number % 100_000_000:08d}"},
        "artists": [{"name": "Ada", "id": "x"}, {"name": "Bob"}],
        "album": {"name": "Works", "images": [{"url": "https://i.scdn.co/image/x"}]},
    } | changes


class Killed(BaseException):
    """As a process ends that is killed: nothing is tidied up."""


class Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: SpotifyServer
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._serve({name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
        self._serve({name: values[0] for name, values in parse_qs(body).items()})

    def _serve(self, query: dict[str, str]) -> None:
        path = urlsplit(self.path).path.rstrip("/")
        server = self.server
        with server.lock:
            server.seen.append(path)
            server.queries.append(query)
            faults = server.faults.get(path) or server.faults.get("*")
            fault = faults.pop(0) if faults else None
        if fault is not None:
            fault(self)
        elif path == "/api/token":
            self._token(query)
        elif not path.startswith("/v1/"):
            self.fail(404)
        elif self.headers.get("Authorization", "").removeprefix("Bearer ") not in server.good:
            self.fail(401, "The access token expired")
        else:
            self._catalogue(path.removeprefix("/v1/").split("/"), query)

    def _token(self, query: dict[str, str]) -> None:
        server, kind = self.server, query["grant_type"]
        if kind == "client_credentials":
            expected = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
            if self.headers.get("Authorization") != f"Basic {expected}":
                self.say(400, {"error": "invalid_client", "error_description": "Invalid client"})
                return
            self.say(200, server.new_token("app"))
        elif kind == "refresh_token":
            with server.lock:
                known = query["refresh_token"] in server.refresh_tokens
                # PKCE: each is good once, and the next one comes with the answer.
                server.refresh_tokens.discard(query["refresh_token"])
            if known and query["client_id"] == CLIENT_ID:
                self.say(200, server.new_token("user"))
            else:
                self.say(400, {"error": "invalid_grant", "error_description": "Refresh token revoked"})
        else:
            challenge = server.codes.pop(query.get("code", ""), None)
            digest = hashlib.sha256(query.get("code_verifier", "").encode()).digest()
            if challenge and base64.urlsafe_b64encode(digest).decode().rstrip("=") == challenge:
                self.say(200, server.new_token("user"))
            else:
                self.say(400, {"error": "invalid_grant", "error_description": "Invalid authorization code"})

    def _catalogue(self, parts: list[str], query: dict[str, str]) -> None:
        server = self.server
        kind, wanted, *rest = [*parts, ""]
        if kind == "tracks" and wanted in server.tracks:
            self.say(200, server.tracks[wanted])
        elif kind == "albums" and wanted in server.albums:
            album = server.albums[wanted]
            simple = [{k: v for k, v in item.items() if k not in ("album", "external_ids")} for item in album]
            page = self._page(simple, query)
            self.say(200, page if rest[0] == "tracks" else {"name": "Works", "id": wanted, "tracks": page})
        elif kind == "artists" and wanted in server.artists and rest[0] == "albums":
            if int(query["limit"]) > ALBUM_PAGE:
                self.fail(400, "Invalid limit")
                return
            groups = query["include_groups"].split(",")
            found = [
                {"id": album, "name": f"Record {album[-3:]}", "album_type": group, "total_tracks": 1}
                for group, album in server.artists[wanted]
                if group in groups
            ]
            self.say(200, self._page(found, query))
        elif kind == "playlists" and wanted in server.playlists:
            bearer = self.headers["Authorization"].removeprefix("Bearer ")
            if not bearer.startswith("user"):
                self.fail(403, "User not registered")
            elif rest[0] == ("tracks" if server.is_old else "items"):
                name = "track" if server.is_old else "item"
                # Fields that are not named do not come.
                asked = f"items({name}(" in query.get("fields", f"items({name}(")
                items = [
                    {"added_at": "2026-01-01T00:00:00Z"} | ({name: item} if asked else {})
                    for item in server.playlists[wanted]
                ]
                self.say(200, self._page(items, query))
            elif rest[0]:
                self.fail(404, "Service not found")
            else:
                self.say(200, {"name": "Mine", "snapshot_id": server.snapshots.get(wanted, "one")})
        else:
            self.fail(404, "Non existing id")

    def _page(self, items: list[Any], query: dict[str, str]) -> dict[str, Any]:
        offset, limit = int(query.get("offset", 0)), int(query.get("limit", PAGE))
        assert limit <= PAGE
        more = offset + limit < len(items)
        following = f"https://api.spotify.com/v1/x?offset={offset + limit}" if more else None
        return {"total": len(items), "items": items[offset : offset + limit], "next": following}

    def fail(self, status: int, message: str = "", reason: str | None = None, **headers: str) -> None:
        error = {"status": status, "message": message} | ({"reason": reason} if reason else {})
        self.say(status, {"error": error}, **headers)

    def say(self, status: int, body: Any, **headers: str) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        for name, value in ({"Content-Length": str(len(content))} | names).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(content)

    def hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: object) -> None:
        pass


Fault = Callable[[Request], None]


class SpotifyServer(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Request)
        self.lock = threading.Lock()
        self.tracks: dict[str, Any] = {}
        self.albums: dict[str, list[Any]] = {}
        self.playlists: dict[str, list[Any]] = {}
        #: Groups and ids of albums, in Spotify's order.
        self.artists: dict[str, list[tuple[str, str]]] = {}
        self.snapshots: dict[str, str] = {}
        #: Playlists as before 2026: under `/tracks`, with `track` in each entry.
        self.is_old = False
        self.good: set[str] = set()
        self.refresh_tokens: set[str] = set()
        self.codes: dict[str, str] = {}
        self.faults: dict[str, list[Fault]] = {}
        self.seen: list[str] = []
        self.queries: list[dict[str, str]] = []
        self.expires_in = 3600
        self._numbers = itertools.count(1)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def new_token(self, whose: str) -> dict[str, Any]:
        number = next(self._numbers)
        token = {
            "access_token": f"{whose}-Pl4ntedAccess{number}",
            "token_type": "Bearer",
            "expires_in": self.expires_in,
        }
        self.good.add(token["access_token"])
        if whose == "user":
            token |= {"refresh_token": f"Pl4ntedRefresh{number}", "scope": "playlist-read-private"}
            self.refresh_tokens.add(token["refresh_token"])
        return token

    def agree(self, url: str, code: str = "Pl4ntedCode") -> str:
        """What a person's browser does at the address to agree at; returns where it ends."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert query["client_id"] == CLIENT_ID
        assert (query["response_type"], query["code_challenge_method"]) == ("code", "S256")
        self.codes[code] = query["code_challenge"]
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def requests(self, path: str) -> int:
        return self.seen.count(path)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away in the middle is what some tests are about."""


@contextmanager
def spotify_server() -> Iterator[SpotifyServer]:
    server = SpotifyServer()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
