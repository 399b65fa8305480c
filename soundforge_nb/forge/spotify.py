"""Signing in at Spotify: a browser comes back to this machine, or the address it ended at is pasted."""

from __future__ import annotations

import time
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from html import escape
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

from soundforge_nb.dashboards import surroundings
from soundforge_nb.errors import SpotifyError, UsageError

#: How long a browser is waited for.
WAIT_SECONDS = 300.0
_PAGE = (
    "<!doctype html><meta charset=utf-8><title>soundforge_nb</title>"
    "<p>You can close this page: soundforge_nb goes on in your notebook."
)
_BUTTON = (
    "<a href='{url}' target='_blank' rel='noopener noreferrer' role='button' style='display:inline-block;"
    "padding:6px 14px;border-radius:4px;text-decoration:none;color:#fff;background:#1a7f42'>"
    "Sign in at Spotify</a>"
)

#: Shows a person where to say yes, as long as that is waited for.
Invite = Callable[[str], AbstractContextManager[None]]


def invitation(tell: Callable[[str], None], *, headless: bool) -> Invite:
    """How a person is invited here: by a button in a notebook, else by their browser, or in words.

    Parameters
    ----------
    tell : callable
        Says a sentence.
    headless : bool
        The browser is on another machine.
    """

    @contextmanager
    def by_button(url: str) -> Iterator[None]:
        from IPython.display import display

        shown = {"text/html": _BUTTON.format(url=escape(url)), "text/plain": f"Sign in at Spotify: {url}"}
        handle = display(shown, raw=True, display_id=True)
        try:
            yield
        finally:
            # The address is good once: a notebook that is saved holds no trace of it.
            gone = "The button to sign in at Spotify was here."
            handle.update({"text/html": f"<em>{gone}</em>", "text/plain": gone}, raw=True)

    @contextmanager
    def by_words(url: str) -> Iterator[None]:
        if headless:
            tell(f"Open this address in a browser and agree:\n{url}")
        else:
            tell(f"A browser opens. If it does not, open this address yourself:\n{url}")
            webbrowser.open(url)
        yield

    return by_button if surroundings.place() in ("lab", "voila") else by_words


def ask_for_address(
    url: str, redirect_uri: str, *, headless: bool, invite: Invite, ask: Callable[[str], str]
) -> str:
    """Have a person say yes; returns the address that the browser ended at.

    Parameters
    ----------
    url : str
        Where to say yes.
    redirect_uri : str
        Where the browser comes back to.
    headless : bool
        The browser is on another machine: its address is pasted.
    invite : callable
        See `invitation`.
    ask : callable
        Asks for a line.

    Raises
    ------
    SpotifyError
        Nobody came back in time.
    UsageError
        The port is taken, or there is nobody to ask.
    """
    if headless:
        try:
            with invite(url):
                return ask("It ends at an address that begins with http://127.0.0.1. Paste that: ")
        # A kernel without a person, as papermill's, has an error of its own for this.
        except Exception as error:
            raise UsageError(
                "There is nobody here to paste an address.",
                "Sign in once from a notebook or a shell: the sign-in is kept.",
            ) from error
    try:
        server = _Callback(urlsplit(redirect_uri).port or 0)
    except OSError as error:
        raise UsageError(
            f"{redirect_uri} can't be listened at: {error.strerror}.",
            "Set another spotify_redirect_port (and the same at developer.spotify.com), or headless=True.",
        ) from error
    with server, invite(url):
        return f"{redirect_uri}?{server.wait(WAIT_SECONDS)}"


class _Callback(HTTPServer):
    """Waits on loopback for a browser that comes back."""

    def __init__(self, tcp_port: int) -> None:
        super().__init__(("127.0.0.1", tcp_port), _Request)
        self.query = ""

    def wait(self, seconds: float) -> str:
        """The query that a browser came back with.

        Raises
        ------
        SpotifyError
            None came in time.
        """
        until = time.monotonic() + seconds
        while not self.query:
            self.timeout = until - time.monotonic()
            if self.timeout <= 0:
                raise SpotifyError(
                    "Nobody signed in within five minutes.",
                    "Begin anew; where the browser is on another machine, with headless=True.",
                    kind="sign_in",
                )
            self.handle_request()
        return self.query


class _Request(BaseHTTPRequestHandler):
    server: _Callback
    #: A connection that says nothing must not keep the browser out.
    timeout = 5.0

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = parse_qs(parts.query)
        if parts.path != "/callback" or "state" not in query or not {"code", "error"} & query.keys():
            # Browsers ask for icons, and others for whatever.
            self.send_error(404)
            return
        self.server.query = parts.query
        body = _PAGE.encode()
        self.send_response(200)
        for name, value in (
            ("Content-Type", "text/html; charset=utf-8"),
            ("Content-Length", str(len(body))),
            # The address holds the code: it goes nowhere from here.
            ("Referrer-Policy", "no-referrer"),
            ("Cache-Control", "no-store"),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the address holds the code."""
