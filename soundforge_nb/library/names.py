"""File and folder names made from what a person or a tag wrote: never a way out of a folder."""

from __future__ import annotations

import re
import unicodedata

_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]+')
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_MAX_BYTES = 120


def safe_name(text: str, fallback: str = "untitled") -> str:
    """One path component that every file system takes.

    >>> safe_name("../../etc/passwd"), safe_name("AC/DC: Live?"), safe_name("..")
    ('etc passwd', 'AC DC Live', 'untitled')
    """
    name = unicodedata.normalize("NFC", text)
    name = "".join(letter if letter.isprintable() else " " for letter in _FORBIDDEN.sub(" ", name))
    name = " ".join(name.split()).strip(". ")
    if name.startswith("-"):
        name = f"_{name}"
    encoded = name.encode("utf-8", "ignore")
    if len(encoded) > _MAX_BYTES:
        name = encoded[:_MAX_BYTES].decode("utf-8", "ignore").rstrip(". ")
    if not name or _RESERVED.fullmatch(name):
        return f"_{name}" if name else fallback
    return name
