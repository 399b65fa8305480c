"""Files for their owner's eyes alone: 0600 in a folder of 0700, each whole or not there."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path


def write_private(file: Path, content: bytes, *, once: bool = False) -> None:
    """Write a file that only its owner can read; its folder becomes one that only its owner can enter.

    Parameters
    ----------
    file : Path
    content : bytes
    once : bool
        Of several who write, the first wins; the others' content is dropped.

    Raises
    ------
    OSError
        It can't be written; what was there stays.
    """
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    file.parent.chmod(0o700)
    aside = file.with_name(f".{secrets.token_hex(8)}.part")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        if once:
            with suppress(FileExistsError):
                file.hardlink_to(aside)
        else:
            aside.replace(file)
    finally:
        aside.unlink(missing_ok=True)
