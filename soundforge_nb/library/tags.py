"""What a file says of itself: title, artist and the like, by mutagen. Read, never written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mutagen


@dataclass(frozen=True)
class Tags:
    title: str | None = None
    artist: str | None = None
    album: str | None = None
    genre: str | None = None
    year: int | None = None
    isrc: str | None = None
    duration_seconds: float | None = None
    sample_rate_hz: int | None = None
    channels: int | None = None


def read_tags(path: Path) -> Tags:
    """The tags of a file; a file without any, or with damaged ones, has empty tags."""
    try:
        file = mutagen.File(path, easy=True)
    except Exception:
        # mutagen meets damaged headers with many kinds of error; a tag is never worth a refusal.
        return Tags()
    if file is None:
        return Tags()
    year = re.match(r"\d{4}", _first(file, "date") or "")
    stream = file.info
    length = getattr(stream, "length", None)
    return Tags(
        title=_first(file, "title"),
        artist=_first(file, "artist"),
        album=_first(file, "album"),
        genre=_first(file, "genre"),
        year=int(year[0]) if year else None,
        isrc=_first(file, "isrc"),
        duration_seconds=float(length) if length else None,
        sample_rate_hz=getattr(stream, "sample_rate", None),
        channels=getattr(stream, "channels", None),
    )


def _first(file: Any, name: str) -> str | None:
    try:
        values = (file.tags or {}).get(name)
    except (KeyError, ValueError):
        return None
    if not values:
        return None
    text = str(values[0] if isinstance(values, list) else values)
    return clean(text) or None


def clean(text: str) -> str:
    """Text that a database and a page can hold: no NUL, no lone surrogate, no outer white space."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "").strip()
