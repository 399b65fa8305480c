"""The suffix that a fetched file gets: by its name, else by what the server called its type."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

SUFFIXES = frozenset(
    f".{name}"
    for name in (
        *("aac", "aif", "aifc", "aiff", "au", "caf", "flac", "m4a", "m4b", "mka", "mp2", "mp3", "mp4"),
        *("oga", "ogg", "opus", "wav", "webm", "wma", "wv"),
    )
)
_OF_TYPE = {
    "audio/mpeg": ".mp3",
    "audio/mp3": ".mp3",
    "audio/mp4": ".m4a",
    "audio/x-m4a": ".m4a",
    "audio/aac": ".aac",
    "audio/flac": ".flac",
    "audio/x-flac": ".flac",
    "audio/ogg": ".ogg",
    "audio/opus": ".opus",
    "audio/wav": ".wav",
    "audio/x-wav": ".wav",
    "audio/vnd.wave": ".wav",
    "audio/aiff": ".aiff",
    "audio/x-aiff": ".aiff",
    "audio/webm": ".webm",
    "video/webm": ".webm",
    "video/mp4": ".mp4",
}


def suffix_of(names: Iterable[str], content_type: str) -> str:
    """A suffix of the known ones; the decoders go by the content, so this is for people.

    >>> suffix_of(["song.MP3"], ""), suffix_of(["get.php"], "audio/flac"), suffix_of([], "text/plain")
    ('.mp3', '.flac', '.audio')
    """
    for name in names:
        suffix = PurePosixPath(name.replace("\0", "")).suffix.lower()
        if suffix in SUFFIXES:
            return suffix
    return _OF_TYPE.get(content_type.lower(), ".audio")
