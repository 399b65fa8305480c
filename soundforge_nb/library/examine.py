"""Looking at one file before it becomes a track: is it there, is it audio, which bytes is it made of."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from soundforge_nb.errors import InputError
from soundforge_nb.library.scan import printable
from soundforge_nb.library.sniff import looks_like_audio
from soundforge_nb.library.tags import Tags, clean, read_tags

_CHUNK_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Stamp:
    """What tells quickly whether a file is the one seen before."""

    size_bytes: int
    mtime_ns: int


@dataclass(frozen=True)
class Examined:
    path: str
    stamp: Stamp
    byte_hash: str
    tags: Tags

    @property
    def title(self) -> str:
        return self.tags.title or clean(Path(self.path).stem) or "untitled"

    @property
    def format(self) -> str:
        return Path(self.path).suffix.lstrip(".").lower()


def stamp_of(path: str) -> Stamp:
    """Size and time of a file.

    Raises
    ------
    InputError
        It is not there, not a file, empty, or its name can't be kept.
    """
    name = printable(path)
    try:
        path.encode("utf-8")
        status = Path(path).stat()
    except UnicodeEncodeError:
        raise InputError(
            f"The name of {name} is not valid text.", "Rename the file.", kind="bad_name"
        ) from None
    except FileNotFoundError:
        fault = "is a link that leads nowhere" if Path(path).is_symlink() else "is not there"
        raise InputError(f"{name} {fault}.", "Check the path.", kind="not_found") from None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise InputError(
                f"{name} is a link that leads in a circle.", "Name the file itself.", kind="not_found"
            ) from None
        raise _unreadable(name, error) from error
    if not stat.S_ISREG(status.st_mode):
        raise InputError(f"{name} is not a file.", "Name a file or a folder.", kind="not_a_file")
    if status.st_size == 0:
        raise InputError(f"{name} is empty (0 bytes).", "Copy or download it again.", kind="empty")
    return Stamp(status.st_size, status.st_mtime_ns)


def examine(path: str) -> Examined:
    """Hash a file and read its tags.

    Raises
    ------
    InputError
        As `stamp_of`; or it can't be read, does not begin as audio does, or changes meanwhile.
    """
    stamp = stamp_of(path)
    name = printable(path)
    digest = hashlib.sha256()
    try:
        with Path(path).open("rb") as file:
            head = file.read(_CHUNK_BYTES)
            if not looks_like_audio(head[:4096]) and read_tags(Path(path)) == Tags():
                raise InputError(
                    f"{name} is not audio: its content does not begin as an audio file's does.",
                    "Check what it is; a wrong suffix does not make it audio.",
                    kind="not_audio",
                )
            digest.update(head)
            while chunk := file.read(_CHUNK_BYTES):
                digest.update(chunk)
    except FileNotFoundError:
        raise InputError(f"{name} is not there any more.", "Check the path.", kind="not_found") from None
    except OSError as error:
        raise _unreadable(name, error) from error
    if stamp_of(path) != stamp:
        # The hash is of neither the old bytes nor the new ones.
        raise InputError(
            f"{name} changed while it was read.", "Add it when nothing writes to it any more.", kind="changed"
        )
    return Examined(path, stamp, digest.hexdigest(), read_tags(Path(path)))


def _unreadable(name: str, error: OSError) -> InputError:
    return InputError(
        f"{name} can't be read: {os.strerror(error.errno or 0)}.", "Check its permissions.", kind="unreadable"
    )
