"""What a web server's answer means for a download."""

from __future__ import annotations

import http
import http.client
from datetime import UTC, datetime
from email.message import Message
from email.utils import parsedate_to_datetime

from soundforge_nb.errors import DownloadError

_PAGES = ("text/html", "application/xhtml+xml")


def is_page(headers: Message) -> bool:
    return headers.get_content_type() in _PAGES


def version_mark(headers: Message) -> str:
    """What a range may be asked for by: a strong ETag, else the date of the last change, else nothing.

    >>> message = Message()
    >>> message["ETag"] = 'W/"weak"'
    >>> version_mark(message)
    ''
    """
    mark = headers.get("ETag") or ""
    if mark.startswith('"'):
        return mark
    date = headers.get("Last-Modified") or ""
    try:
        parsedate_to_datetime(date)
    except (TypeError, ValueError):
        return ""
    return date if not mark else ""


def too_big(shown: str, max_bytes: int) -> DownloadError:
    return DownloadError(
        f"{shown} is larger than {max_bytes / 1e6:.0f} MB.",
        "Raise the setting download_max_bytes where that is right.",
        kind="too_big",
    )


def wait_seconds(headers: Message, now: datetime) -> float:
    """How long a server wants to be left alone; 0 where it does not say, or says it unreadably.

    >>> message = Message()
    >>> message["Retry-After"] = "Wed, 21 Oct 2026 07:28:00 GMT"
    >>> wait_seconds(message, datetime(2026, 10, 21, 7, 27, tzinfo=UTC))
    60.0
    """
    said = (headers.get("Retry-After") or "").strip()
    if said.isascii() and said.isdigit():
        return float(said[:9])
    until, clock = _time(said), _time(headers.get("Date") or "")
    # By the server's own clock, where it shows it.
    return max(1.0, (until - (clock or now)).total_seconds()) if until else 0.0


def _time(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _phrase(status: int) -> str:
    # The standard's words: a server's own may repeat the link, key and all.
    try:
        return http.HTTPStatus(status).phrase
    except ValueError:
        return ""


def fault_of(response: http.client.HTTPResponse, shown: str) -> DownloadError:
    """The error that an answer without content stands for."""
    status = response.status
    said = f"the server answered {status} {_phrase(status)}".strip()
    if status in (401, 402, 403, 407):
        return DownloadError(
            f"{shown} is not open to everyone: {said}.",
            "Save the file with the program that may open it, and add that.",
            kind="sign_in",
        )
    if status == 429 or (status == 503 and response.headers.get("Retry-After")):
        return DownloadError(
            f"{shown} can't be fetched just now: {said}.",
            "It is tried again later.",
            kind="rate_limited",
            details={"retry": True, "wait_seconds": wait_seconds(response.headers, datetime.now(UTC))},
        )
    if status >= 500 or status in (408, 425):
        return DownloadError(
            f"{shown} can't be fetched just now: {said}.",
            "It is tried again.",
            kind="unavailable",
            details={"retry": True},
        )
    return DownloadError(f"{shown} is not there: {said}.", "Check the link.", kind="unavailable")
