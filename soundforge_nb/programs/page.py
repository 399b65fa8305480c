"""A web page's audio, by yt-dlp: only where a person has allowed it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from soundforge_nb.programs.checked_proxy import checked_proxy
from soundforge_nb.programs.http_link import Limits
from soundforge_nb.programs.tools import fault, need, run_tool, the_file

#: The best audio, and the ways it may come: those that yt-dlp goes itself, and by HTTP.
_CHOICES = ("bestaudio[ext=m4a]", "bestaudio", "best")
_CHECKED = r"^(https?|m3u8(_native)?|http_dash_segments)(\+|$)"
_PROGRESS = re.compile(r"^SF (\d+) (\d+)")
#: Where a person keeps a phrase as short as this in a link, cutting it out would leave no log to read.
_SHORTEST_SECRET = 6


def fetch_page(
    link: str, shown: str, folder: Path, limits: Limits, report: Callable[[float, str], None]
) -> tuple[Path, dict[str, Any]]:
    """Fetch what a page plays.

    Returns
    -------
    (Path, dict)
        The file, and what the page says of it: ``title``, ``artist``, ``album``.

    Raises
    ------
    DownloadError
        Its kind says why.
    """
    need("yt_dlp", "yt-dlp")
    folder.mkdir(parents=True, exist_ok=True)

    def hear(line: str) -> None:
        if found := _PROGRESS.match(line):
            done, total = int(found[1]), int(found[2])
            report(done / total if total else 0.5, f"{done / 1e6:.1f} MB")

    with checked_proxy(limits, shown) as proxy:
        said = run_tool(
            _arguments(limits),
            folder,
            proxy,
            # The link is read from here: an argument could be listed by everyone.
            stdin=f"{link}\n",
            secrets=secrets_of(link),
            on_line=hear,
        )
    file = the_file(folder)
    if file is None:
        raise proxy.refusal or fault(said, shown)
    return file, _described(folder)


def _arguments(limits: Limits) -> list[str]:
    return [
        *("yt_dlp", "--ignore-config", "--no-update", "--no-cache-dir", "--no-playlist"),
        *("--playlist-items", "1", "--max-downloads", "1", "--match-filters", "!is_live"),
        *("--format", "/".join(f"{choice}[protocol~='{_CHECKED}']" for choice in _CHOICES)),
        # An ffmpeg would fetch by itself, past the check; nothing is converted here.
        *("--downloader", "native", "--ffmpeg-location", "home"),
        *("--max-filesize", str(limits.max_bytes), "--socket-timeout", str(limits.stall_seconds)),
        *("--retries", "2", "--fixup", "never", "--no-mtime", "--no-color"),
        *("--write-info-json", "--write-thumbnail", "--output", "audio.%(ext)s"),
        *("--newline", "--progress", "--progress-template"),
        "download:SF %(progress.downloaded_bytes|0)d %(progress.total_bytes|0)d",
        *("--batch-file", "-"),
    ]


def secrets_of(link: str) -> set[str]:
    """The texts of a link that may be a key, in the forms a program may tell them in."""
    query = urlsplit(link).query
    values = [value for _, value in parse_qsl(query)] + [query]
    forms = {
        form for value in values for form in (value, quote(value), quote(value, safe=""), unquote(value))
    }
    return {link, *(form for form in forms if len(form) >= _SHORTEST_SECRET)}


def _described(folder: Path) -> dict[str, Any]:
    """What the page said of its audio, as far as it is text."""
    for file in folder.glob("*.info.json"):
        try:
            found = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(found, dict):
            wanted = {
                "title": found.get("track") or found.get("title"),
                "artist": found.get("artist") or found.get("uploader"),
                "album": found.get("album"),
            }
            return {name: text for name, text in wanted.items() if isinstance(text, str)}
    return {}
