"""What a recording is looked for by, for the child that looks: each in a file of its own, never in a job.

A job's row outlives what may be kept of Spotify's words. So it names a track by Spotify's id alone, and the
words lie here until the audio is here, or until they have expired: see `soundforge_nb.library.spotify_lists`.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from soundforge_nb.errors import LinkError

#: What a recording is looked for by.
SONG = ("title", "artist", "album", "isrc", "duration_seconds")
_ID = re.compile(r"[0-9A-Za-z]{22}")


class SongFiles:
    """The folder of these files.

    Parameters
    ----------
    links_folder : Path
        Where links are kept; they lie beside those.
    """

    def __init__(self, links_folder: Path) -> None:
        self._folder = links_folder / "songs"

    def keep(self, spotify_id: str, told: Mapping[str, Any]) -> None:
        """Keep what is told of a recording.

        Raises
        ------
        OSError
            The folder can't be written.
        """
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        aside = self._folder / f".{secrets.token_hex(8)}.part"
        try:
            # Not made to outlast a power cut, each by itself: what is lost is said, and told anew.
            aside.write_text(json.dumps({name: told.get(name) for name in SONG}), encoding="utf-8")
            aside.replace(self._file(spotify_id))
        finally:
            aside.unlink(missing_ok=True)

    def song(self, spotify_id: str) -> dict[str, Any]:
        """What is told of a recording, with its id.

        Raises
        ------
        LinkError
            It is not kept any more.
        """
        try:
            told = json.loads(self._file(spotify_id).read_text(encoding="utf-8"))
            return {**told, "spotify_id": spotify_id}
        except (FileNotFoundError, ValueError, TypeError):
            raise LinkError(
                f"What Spotify said of https://open.spotify.com/track/{spotify_id} is not kept any more.",
                "Add it again: forge.add(…); then process it.",
                kind="link_gone",
            ) from None

    def drop(self, spotify_id: str) -> None:
        """Let go of it; one that is not here is no error."""
        self._file(spotify_id).unlink(missing_ok=True)

    def kept(self) -> list[str]:
        """The ids of the recordings that something is kept of."""
        try:
            return [file.name for file in self._folder.iterdir() if _ID.fullmatch(file.name)]
        except FileNotFoundError:
            return []

    def _file(self, spotify_id: str) -> Path:
        if not _ID.fullmatch(spotify_id):
            raise ValueError("this is no id of Spotify's")
        return self._folder / spotify_id
