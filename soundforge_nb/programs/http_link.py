"""Fetching what a link leads to: every hop checked, bounded in size, gone on with after a break."""

from __future__ import annotations

import errno
import http.client
import re
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from email.message import Message
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit

from soundforge_nb.errors import DownloadError
from soundforge_nb.programs.addresses import CheckedConnection
from soundforge_nb.programs.http_answers import fault_of, is_page, too_big, version_mark
from soundforge_nb.programs.partial import Partial

HOPS = 5
#: How many breaks in a row, with nothing received between them, end the attempt.
FRUITLESS_BREAKS = 3
_CHUNK_BYTES = 1 << 16
_REDIRECTS = (301, 302, 303, 307, 308)
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")
#: What a download of unknown size counts as half of.
_GUESSED_BYTES = 4_000_000


class Broken(http.client.HTTPException):
    """An answer that can't be used, in words of ours."""


@dataclass(frozen=True)
class Limits:
    """How far a link is followed."""

    max_bytes: int
    stall_seconds: float
    allow_private: bool


@dataclass(frozen=True)
class Fetched:
    """What the server said of the file; the last name that a person may know it by comes first."""

    names: tuple[str, ...]
    content_type: str


def fetch(
    link: str, shown: str, partial: Partial, limits: Limits, report: Callable[[float, str], None]
) -> Fetched:
    """Fetch the rest of `link` into `partial`.

    Parameters
    ----------
    link : str
        ``http://`` or ``https://``.
    shown : str
        The link as it may stand in a sentence.
    partial : Partial
    limits : Limits
    report : callable
        ``report(share, message)``, the share from 0 to 1.

    Raises
    ------
    DownloadError
        Its kind says why; it knows whether another attempt may help.
    """
    breaks, furthest = 0, partial.size_bytes
    while True:
        try:
            with _opened(link, shown, partial, limits) as (response, names):
                fetched = Fetched(names, response.headers.get_content_type())
                total = _begin(response, partial, shown, limits)
                if total is None or partial.size_bytes < total:
                    _receive(response, partial, total, limits, shown, report)
            return fetched
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, OSError) and error.errno and _is_of_the_disk(error.errno):
                raise
            # Further than ever: a server that makes us begin anew again and again does not count.
            breaks = breaks + 1 if partial.size_bytes <= furthest else 0
            furthest = max(furthest, partial.size_bytes)
            if breaks >= FRUITLESS_BREAKS:
                raise DownloadError(
                    f"The connection to {shown} broke off ({_in_words(error)}).",
                    "Check the network and try again: what came is kept.",
                    kind="connection",
                    details={"retry": True},
                ) from error


@contextmanager
def _opened(
    link: str, shown: str, partial: Partial, limits: Limits
) -> Iterator[tuple[http.client.HTTPResponse, tuple[str, ...]]]:
    """The answer at the end of all redirects, and the names that the file went by."""
    names: list[str] = []
    for _ in range(HOPS + 1):
        parts = web_parts(link, shown)
        names.insert(0, unquote(parts.path.rpartition("/")[2], errors="replace"))
        connection = CheckedConnection(
            parts, allow_private=limits.allow_private, stall_seconds=limits.stall_seconds
        )
        try:
            connection.request("GET", _target(parts), headers=_headers(partial))
            with closing(connection.getresponse()) as response:
                if response.status in _REDIRECTS:
                    link = _next(link, response.headers.get("Location") or "")
                    continue
                if said := _said_name(response.headers):
                    names.insert(0, said)
                yield response, tuple(names)
                return
        finally:
            connection.close()
    raise DownloadError(f"{shown} leads on and on: more than {HOPS} redirects.", kind="unavailable")


def _next(link: str, location: str) -> str:
    try:
        return urljoin(link, location)
    except ValueError:
        # No address at all; it is refused as one that is not on the web.
        return ""


def web_parts(link: str, shown: str) -> SplitResult:
    """The parts of a link.

    Raises
    ------
    DownloadError
        It is not on the web.
    """
    try:
        parts = urlsplit(link)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise DownloadError(
            f"{shown} leads to something that is not on the web ({link.partition(':')[0][:20]}:).",
            "Only http and https are followed.",
            kind="forbidden_scheme",
        )
    return parts


def _target(parts: SplitResult) -> str:
    # A redirect may have been written by hand, with spaces and letters of all kinds.
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~")
    query = quote(parts.query, safe="/%:@!$&'()*+,;=~?")
    return f"{path}?{query}" if query else path


def _headers(partial: Partial) -> dict[str, str]:
    # Packed content could not be resumed by its bytes, and might unpack to anything.
    headers = {"User-Agent": "soundforge_nb", "Accept": "audio/*, */*;q=0.5", "Accept-Encoding": "identity"}
    if partial.size_bytes and partial.mark:
        headers |= {"Range": f"bytes={partial.size_bytes}-", "If-Range": partial.mark}
    return headers


def _begin(response: http.client.HTTPResponse, partial: Partial, shown: str, limits: Limits) -> int | None:
    """Judge the answer, place the partial file; returns how many bytes the whole has, where that is said."""
    if response.status == 206 and (found := _RANGE.fullmatch(response.headers.get("Content-Range", ""))):
        if int(found[1]) != partial.size_bytes:
            partial.restart("")
            raise Broken("the server sent another part than was asked for")
        total = None if found[2] == "*" else int(found[2])
    elif response.status == 416 and response.headers.get("Content-Range") == f"bytes */{partial.size_bytes}":
        # It was whole already; the attempt that fetched it ended before it could say so.
        total = partial.size_bytes
    elif response.status == 416 and partial.size_bytes:
        partial.restart("")
        raise Broken("the file is another by now")
    elif response.status == 200:
        if is_page(response.headers):
            raise DownloadError(
                f"{shown} is a web page, no audio file.",
                "Give the link of the file itself.",
                kind="web_page",
            )
        partial.restart(version_mark(response.headers))
        total = response.length
    else:
        raise fault_of(response, shown)
    if total is not None and total > limits.max_bytes:
        raise too_big(shown, limits.max_bytes)
    return total


def _receive(
    response: http.client.HTTPResponse,
    partial: Partial,
    total: int | None,
    limits: Limits,
    shown: str,
    report: Callable[[float, str], None],
) -> None:
    while chunk := response.read1(_CHUNK_BYTES):
        if partial.size_bytes + len(chunk) > limits.max_bytes:
            partial.restart("")
            raise too_big(shown, limits.max_bytes)
        partial.write(chunk)
        done = partial.size_bytes
        share = done / total if total else done / (done + _GUESSED_BYTES)
        report(share, f"{done / 1e6:.1f}{f' of {total / 1e6:.1f}' if total else ''} MB")
    if total is not None and partial.size_bytes < total:
        raise Broken(f"{partial.size_bytes} of {total} bytes came")


def _said_name(headers: Message) -> str:
    name = headers.get_filename("")
    return name if isinstance(name, str) else ""


def _in_words(error: OSError | http.client.HTTPException) -> str:
    """What went wrong, without words of the other side: they may repeat the link, key and all."""
    if isinstance(error, Broken):
        return str(error)
    said = error.strerror if isinstance(error, OSError) else None
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


def _is_of_the_disk(number: int) -> bool:
    return number in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG, errno.EIO)
