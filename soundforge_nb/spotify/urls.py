"""What a Spotify link names, read without a network."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from soundforge_nb.errors import LinkError

#: What tracks can be had from.
TRACK, ALBUM, PLAYLIST, ARTIST = "track", "album", "playlist", "artist"
KINDS = (TRACK, ALBUM, PLAYLIST, ARTIST)

_HOSTS = ("open.spotify.com", "play.spotify.com", "www.open.spotify.com")
_SHORT_HOSTS = ("spotify.link", "spoti.fi", "spotify.app.link", "link.tospotify.com")
_ID = re.compile(r"[0-9A-Za-z]{22}")
_LANGUAGE = re.compile(r"intl-[A-Za-z]{2}(-[A-Za-z]{2,4})?")
#: What Spotify has besides music, or besides what tracks can be had from.
_OTHERS = ("show", "episode", "audiobook", "user", "collection", "concert", "genre", "search", "prerelease")
#: A host and a port, and nobody's name or password.
_AUTHORITY = re.compile(r"([\w.-]*|\[[0-9A-Fa-f:.]+\])(:\d*)?")
#: Stands where a query was cut off.
CUT = "?…"
_FORMS = "Copy the link of a track, an album, a playlist or an artist from Spotify's share menu."


@dataclass(frozen=True)
class SpotifyLink:
    """A track, or a collection of tracks (an artist stands for the artist's albums)."""

    kind: str
    spotify_id: str

    @property
    def uri(self) -> str:
        """The form that is kept: each thing has one.

        >>> SpotifyLink("track", "6rqhFgbbKwnb9MLmUQDhG6").uri
        'spotify:track:6rqhFgbbKwnb9MLmUQDhG6'
        """
        return f"spotify:{self.kind}:{self.spotify_id}"

    @property
    def url(self) -> str:
        return f"https://open.spotify.com/{self.kind}/{self.spotify_id}"


def is_spotify(text: str) -> bool:
    """Whether a text means something of Spotify's, rightly written or not.

    >>> is_spotify("spotify:track:x"), is_spotify("open.spotify.com/track/x"), is_spotify("https://a.org/x.mp3")
    (True, True, False)
    """
    text = text.strip()
    if text.casefold().startswith("spotify:"):
        return True
    host = _host(text if "//" in text else f"//{text}")
    return host in _SHORT_HOSTS or host == "spotify.com" or host.endswith(".spotify.com")


def parse(text: str) -> SpotifyLink:
    """Read a link in any of its forms.

    Parameters
    ----------
    text : str
        ``https://open.spotify.com/track/…`` with or without a language (``intl-de/``), ``embed/``, a
        user's name before a playlist, and a query (``?si=…``); or a URI, ``spotify:track:…``.

    Raises
    ------
    LinkError
        It is a short link, of something without tracks, or not well formed.

    >>> parse("https://open.spotify.com/intl-de/album/4aawyAB9vmqN3uQ7FjRGTy?si=abc").uri
    'spotify:album:4aawyAB9vmqN3uQ7FjRGTy'
    """
    text = text.strip()
    if text.casefold().startswith("spotify:"):
        return _link(text, text.split(":")[1:])
    address = text if "//" in text else f"//{text}"
    host = _host(address)
    if host in _SHORT_HOSTS:
        raise LinkError(
            f"{shown(text)} is a short link, which only the network can resolve.",
            "Open it in a browser and give the address it leads to (https://open.spotify.com/…).",
            kind="short_link",
        )
    if host not in _HOSTS:
        raise LinkError(f"{shown(text)} is no link to Spotify's music.", _FORMS)
    return _link(text, [part for part in urlsplit(address).path.split("/") if part])


def _link(text: str, parts: list[str]) -> SpotifyLink:
    if parts and _LANGUAGE.fullmatch(parts[0]):
        parts = parts[1:]
    if parts and parts[0] in ("embed", "embed-podcast"):
        parts = parts[1:]
    # Playlists had their owner's name before them, and many such links are still about.
    if len(parts) == 4 and parts[0] == "user" and parts[2] == PLAYLIST:
        parts = parts[2:]
    kind = parts[0] if parts else ""
    if kind in _OTHERS:
        raise LinkError(f"{shown(text)} leads to a page of Spotify's ({kind}) that has no tracks.", _FORMS)
    if kind not in KINDS:
        raise LinkError(f"{shown(text)} names nothing of Spotify's that has tracks.", _FORMS)
    if len(parts) != 2 or not _ID.fullmatch(parts[1]):
        raise LinkError(
            f"{shown(text)} is damaged: after “{kind}” one identifier of 22 letters and digits is wanted.",
            "Copy the link again.",
        )
    return SpotifyLink(kind, parts[1])


def is_id(value: object) -> bool:
    """Whether something is an identifier of Spotify's."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def _host(address: str) -> str:
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        return ""
    return host if parts.scheme in ("", "http", "https") else ""


def shown(text: str) -> str:
    """A link in a sentence: no query, which may hold a key, no name or password, not too long.

    >>> shown("https://host/a%20song.mp3?key=abc"), shown("https://ann:pass@host/a.mp3")
    ('https://host/a song.mp3?…', 'https://…@host/a.mp3')
    """
    place, query, _ = text.partition("#")[0].partition("?")
    scheme, found, rest = place.partition("://")
    if found:
        authority, slash, path = rest.partition("/")
        if not _AUTHORITY.fullmatch(authority):
            # A password may hold anything: what can't be told apart from one is not shown.
            authority, at, host = authority.rpartition("@")
            authority = f"…@{host}" if at and _AUTHORITY.fullmatch(host) else "…"
            path = path if at else ""
        place = f"{scheme}://{authority}{slash}{path}"
    plain = unquote(place, errors="replace")
    plain = "".join(letter if letter.isprintable() else "�" for letter in plain)
    plain = plain if len(plain) <= 200 else f"{plain[:199]}…"
    return f"{plain}{CUT}" if query else plain
