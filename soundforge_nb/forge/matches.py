"""What a person says of which file a track of Spotify's is."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any

from soundforge_nb.errors import UsageError
from soundforge_nb.forge.adding import Named
from soundforge_nb.forge.tracks import Track, TrackList
from soundforge_nb.pipeline.links import is_link


class MatchCalls(ABC):
    """The part of a Forge that says, and unsays, which file a track of Spotify's is."""

    @abstractmethod
    def add(self, *named: Named | Iterable[Named]) -> TrackList: ...

    @abstractmethod
    def call(self, method: str, *, timeout_seconds: float | None = None, **arguments: Any) -> Any: ...

    def match(self, song: Track | str, file: Track | Named) -> Track:
        """Say that a track of Spotify's is this file of yours, whatever their tags say.

        Parameters
        ----------
        song : Track or str
            As `add` gave it, or its link.
        file : Track or path
            Added first, where it is not in the library.

        Returns
        -------
        Track
            The file's, with a `match_score` of 1.

        Raises
        ------
        InputError
            The song can't be had, has audio of its own, or the file is none.
        """
        link = song.link if isinstance(song, Track) else song
        if not link:
            raise UsageError("This track is none of Spotify's.", "Give its link.")
        self._one(link)
        track = file if isinstance(file, Track) else self._one(file)
        return Track.from_row(self.call("match", link=link, track_id=track.track_id))

    def unmatch(self, named: Track | Named) -> TrackList:
        """Say that a file is not the track of Spotify's that it was taken for; it is not taken for it again.

        Parameters
        ----------
        named : Track, str or path
            The file's track, its path, or Spotify's link.

        Returns
        -------
        TrackList
            What is Spotify's alone again; what was made of the file stays with the file.

        Raises
        ------
        InputError
            It was taken for nothing.
        """
        if isinstance(named, Track):
            name = named.track_id
        else:
            text = os.fspath(named)
            name = text if is_link(text) else self._one(text).track_id
        found = self.call("unmatch", named=name)
        return TrackList(map(Track.from_row, found["tracks"]), found["names"])

    def _one(self, named: Named) -> Track:
        added = self.add(named)
        if len(added) != 1:
            told = f" {added.rejected[0]}" if added.rejected else ""
            raise UsageError(f"{os.fspath(named)} is not one track.{told}", "Give one file, or one link.")
        return added[0]
