"""Links that hold a key: each in a file that only its owner can read, never in the library.

A signed link opens what it leads to for whoever has it. So the library knows a link by a mark and by a
form without its query, and the whole of it lies here until the track's bytes have come.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from pathlib import Path

from soundforge_nb.errors import LinkError
from soundforge_nb.lifecycle.private_files import write_private
from soundforge_nb.spotify.urls import CUT, shown

_KEY = "key"
_KEY_BYTES = 32
_MARK = re.compile(r"[0-9a-f]{64}")


class LinkFiles:
    """The folder of these files, 0700; each file in it 0600.

    Parameters
    ----------
    folder : Path
        Made when something is kept in it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def mark(self, address: str) -> str:
        """What the library knows a link by: the same for the same link, and nothing can be told from it.

        By a plain hash a short key in a link could be found by trying: a secret of this folder goes in.
        """
        return hmac.new(self._secret(), address.encode(), hashlib.sha256).hexdigest()

    def keep(self, mark: str, address: str) -> None:
        """Keep a link until it was used; keeping it twice is keeping it once."""
        write_private(self._file(mark), address.encode())

    def whole(self, mark: str, shown_form: str) -> str:
        """The whole of a link.

        Raises
        ------
        LinkError
            It was let go of when its audio came.
        """
        if not shown_form.endswith(CUT):
            return shown_form
        try:
            return self._file(mark).read_text(encoding="utf-8")
        except FileNotFoundError:
            raise LinkError(
                f"The whole of {shown(shown_form)} is not kept any more: it may have held a key.",
                "Add the link again: forge.add(…); then process it.",
                kind="link_gone",
            ) from None

    def drop(self, mark: str) -> None:
        """Let go of a link; one that is not here is no error."""
        self._file(mark).unlink(missing_ok=True)

    def kept(self) -> dict[str, float]:
        """The marks of the links that are kept, each with the time (of the wall clock) it came."""
        found: dict[str, float] = {}
        try:
            with os.scandir(self._folder) as entries:
                for entry in entries:
                    if _MARK.fullmatch(entry.name):
                        found[entry.name] = entry.stat(follow_symlinks=False).st_mtime
        except FileNotFoundError:
            return {}
        return found

    def _file(self, mark: str) -> Path:
        if not _MARK.fullmatch(mark):
            raise ValueError("this is no mark of a link")
        return self._folder / mark

    def _secret(self) -> bytes:
        file = self._folder / _KEY
        if not file.exists():
            write_private(file, secrets.token_bytes(_KEY_BYTES), once=True)
        return file.read_bytes()
