"""Tags and a cover for a file that was fetched, by mutagen; what it says of itself already stays."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

_TAGS = ("title", "artist", "album", "isrc")
_PICTURES = {".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png"}
_COVER_BYTES = 5_000_000
_FRONT_COVER = 3


def write_tags(file: Path, told: Mapping[str, Any], picture: Path | None = None) -> bool:
    """Write what is known into a file that lacks it; False where its format takes no tags.

    Parameters
    ----------
    file : Path
        Of our own: never an original.
    told : mapping
        ``title``, ``artist``, ``album``, ``isrc``; what is no text is left out.
    picture : Path, optional
        A JPEG or PNG.
    """
    import mutagen

    try:
        audio = mutagen.File(file, easy=True)
        if audio is None:
            return False
        if audio.tags is None:
            audio.add_tags()
        _write_words(audio, told)
        audio.save()
        if picture is not None:
            _write_cover(file, picture)
    # A tag is never worth a failure, and mutagen meets what it does not know with many kinds of error.
    except Exception:
        return False
    return True


def picture_in(folder: Path) -> Path | None:
    """A cover that a downloader left."""
    found = [
        path
        for path in sorted(folder.iterdir())
        if path.suffix.lower() in _PICTURES and path.is_file() and 0 < path.stat().st_size <= _COVER_BYTES
    ]
    return found[0] if found else None


def _write_words(audio: Any, told: Mapping[str, Any]) -> None:
    for name in _TAGS:
        text = told.get(name)
        if not isinstance(text, str) or not text.strip() or audio.tags.get(name):
            continue
        try:
            audio.tags[name] = text.strip()[:500]
        except (KeyError, ValueError, TypeError):
            # MP4 has no place for an ISRC among its easy tags.
            continue


def _write_cover(file: Path, picture: Path) -> None:
    import mutagen
    from mutagen.flac import FLAC, Picture
    from mutagen.id3 import APIC, ID3
    from mutagen.mp4 import MP4, MP4Cover

    content, kind = picture.read_bytes(), _PICTURES[picture.suffix.lower()]
    audio: Any = mutagen.File(file)
    if isinstance(audio, MP4):
        form = MP4Cover.FORMAT_PNG if kind == "image/png" else MP4Cover.FORMAT_JPEG
        cast(Any, audio.tags).setdefault("covr", [MP4Cover(content, imageformat=form)])
    elif isinstance(audio.tags, ID3):
        if not audio.tags.getall("APIC"):
            audio.tags.add(APIC(encoding=3, mime=kind, type=_FRONT_COVER, desc="", data=content))
    else:
        image = Picture()
        image.type, image.mime, image.data = _FRONT_COVER, kind, content
        if isinstance(audio, FLAC):
            if not audio.pictures:
                audio.add_picture(image)
        else:
            audio.tags.setdefault("metadata_block_picture", [base64.b64encode(image.write()).decode("ascii")])
    audio.save()
