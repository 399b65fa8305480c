"""What a file says of itself: title, artist and the like, by mutagen. Read, never written."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mutagen
from mutagen.id3 import ID3


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
        duration_seconds=_length(length),
        sample_rate_hz=_believable(getattr(stream, "sample_rate", None), 10_000_000),
        channels=_believable(getattr(stream, "channels", None), 1024),
    )


def _length(value: Any) -> float | None:
    usable = isinstance(value, (int, float)) and value > 0 and math.isfinite(value)
    return float(value) if usable else None


def _believable(value: Any, most: int) -> int | None:
    """A number from a header, which may be damaged, if it can be one."""
    return int(value) if isinstance(value, (int, float)) and 0 < value <= most else None


#: WAV and AIFF carry ID3 frames that mutagen gives by their own names.
_FRAMES = {
    "title": "TIT2",
    "artist": "TPE1",
    "album": "TALB",
    "genre": "TCON",
    "date": "TDRC",
    "isrc": "TSRC",
}


def _first(file: Any, name: str) -> str | None:
    tags = file.tags or {}
    try:
        values = tags.get(_FRAMES[name]) if isinstance(tags, ID3) else tags.get(name)
    except (KeyError, ValueError):
        return None
    values = getattr(values, "text", values)
    if not values:
        return None
    text = str(values[0] if isinstance(values, list) else values)
    return clean(text) or None


def clean(text: str) -> str:
    """Text that a database and a page can hold: no NUL, no lone surrogate, no outer white space."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "").strip()
