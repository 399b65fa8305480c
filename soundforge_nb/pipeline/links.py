"""Links as a person writes them: Spotify's, and those to audio on the web. Read without a network."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from soundforge_nb.errors import LinkError
from soundforge_nb.library.tags import clean
from soundforge_nb.spotify import urls
from soundforge_nb.spotify.urls import CUT, shown

#: A scheme of two letters or more with `//`, or one of those that go without; `C:\\` is none.
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://|(spotify|data|file|javascript|magnet):", re.IGNORECASE)
_MAX_LENGTH = 4000
#: A name or an address; what else stands there may be somebody's name or password, wrongly written.
_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+(%[A-Za-z0-9._-]+)?")


@dataclass(frozen=True)
class Link:
    """What a person's link means.

    Attributes
    ----------
    address : str
        One for each thing. It may hold a key in its query: it is neither shown nor stored.
    title : str
        What to call it before more is known.
    spotify : SpotifyLink, optional
        Where it is Spotify's.
    """

    address: str = field(repr=False)
    title: str
    spotify: urls.SpotifyLink | None = None

    @property
    def shown(self) -> str:
        """The link as it may be stored and seen: all of it, or without the query that it has.

        >>> Link("https://host/a%20b.mp3?key=abc", "a").shown
        'https://host/a%20b.mp3?…'
        """
        if self.spotify is not None:
            return self.spotify.url
        place, query, _ = self.address.partition("?")
        return f"{place}{CUT}" if query else place


def is_link(text: str) -> bool:
    """Whether a text is meant as a link and not as a path.

    >>> is_link("https://host/a.mp3"), is_link("spotify:track:x"), is_link("C:/a.mp3"), is_link("Act 1: a")
    (True, True, False, False)
    """
    text = text.strip()
    return bool(_SCHEME.match(text)) or text.casefold().startswith(("open.spotify.com/", "spotify.link/"))


def read_link(text: str) -> Link:
    """Read a link.

    Raises
    ------
    LinkError
        Saying what is wrong with it.

    >>> read_link("HTTPS://Host:443/My%20Song.mp3#t=10").address
    'https://host/My%20Song.mp3'
    """
    text = text.strip()
    if urls.is_spotify(text):
        link = urls.parse(text)
        return Link(link.uri, link.url, link)
    if len(text) > _MAX_LENGTH or not text.isprintable():
        raise LinkError(f"{shown(text)} is no link: it is too long, or holds control characters.")
    scheme = text.partition(":")[0].casefold()
    if scheme == "file":
        raise LinkError(
            f"{shown(text)} is a file.", "Give its path, without file://.", kind="forbidden_scheme"
        )
    if scheme not in ("http", "https"):
        raise LinkError(
            f"{shown(text)} is a link of a kind that is not followed ({scheme}:).",
            "Give a link that begins with https://, or a path.",
            kind="forbidden_scheme",
        )
    return _web_link(text, scheme)


def _web_link(text: str, scheme: str) -> Link:
    try:
        parts = urlsplit(text)
        host, tcp_port = parts.hostname or "", parts.port
        if not host.isascii():
            host = host.encode("idna").decode("ascii")
    except (ValueError, UnicodeError):
        host, tcp_port = "", None
    if not _HOST.fullmatch(host):
        raise LinkError(f"{shown(text)} names no host.", "Copy the link again.")
    if "@" in parts.netloc:
        raise LinkError(
            f"{shown(text)} holds a user's name or password, which is not taken.",
            "Save the file with a program that may open it, and add that.",
            kind="secret",
        )
    host = f"[{host}]" if ":" in host else host
    place = host if tcp_port in (None, 80 if scheme == "http" else 443) else f"{host}:{tcp_port}"
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~")
    query = quote(parts.query, safe="/%:@!$&'()*+,;=~?")
    name = PurePosixPath(unquote(path, errors="replace")).name
    title = clean(PurePosixPath(name).stem)[:300] or host
    return Link(urlunsplit((scheme, place, path, query, "")), title)
