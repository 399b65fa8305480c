"""Tracks as a notebook holds them."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, overload

from soundforge_nb.library.scan import printable
from soundforge_nb.spotify.urls import is_spotify

if TYPE_CHECKING:
    import pandas as pd

_SHOWN_ROWS = 12


@dataclass(frozen=True)
class Track:
    """One song of the library. Its file is never changed."""

    track_id: str
    title: str
    artist: str | None = None
    album: str | None = None
    duration_seconds: float | None = None
    sample_rate_hz: int | None = None
    channels: int | None = None
    format: str | None = None
    path: str | None = None
    byte_hash: str | None = None
    #: Where its audio can be had from, where a link stands for it.
    link: str | None = None
    #: Where it was taken for a track of Spotify's: how sure that is (1 is certain), and by what.
    match_score: float | None = None
    match_reason: str | None = None

    @property
    def pending(self) -> bool:
        """Whether its audio has yet to be fetched: `Forge.process` does that first."""
        return self.path is None and self.link is not None

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> Track:
        return cls(**{field.name: row.get(field.name) for field in fields(cls)})  # type: ignore[arg-type]


@dataclass(frozen=True)
class Rejected:
    """What was named but is no track, and why."""

    name: str
    reason: str
    error: dict[str, Any]

    def __str__(self) -> str:
        return self.reason


class TrackList(Sequence[Track]):
    """Tracks in the order they were named; in `rejected` what was not taken, each with its sentence.

    In `notes` stand sentences about the whole, where a person may wonder.
    """

    def __init__(
        self,
        tracks: Iterable[Track],
        names: Iterable[str] = (),
        rejected: Iterable[Rejected] = (),
        notes: Iterable[str] = (),
    ):
        self._tracks = list(tracks)
        self.names = list(names) or [_name(track) for track in self._tracks]
        self.rejected = list(rejected)
        self.notes = list(notes)

    def __len__(self) -> int:
        return len(self._tracks)

    @overload
    def __getitem__(self, index: int) -> Track: ...
    @overload
    def __getitem__(self, index: slice) -> TrackList: ...
    def __getitem__(self, index: int | slice) -> Track | TrackList:
        if isinstance(index, slice):
            return TrackList(self._tracks[index], self.names[index])
        return self._tracks[index]

    def df(self) -> pd.DataFrame:
        """The tracks as a DataFrame, one row each."""
        import pandas as pd

        return pd.DataFrame([vars(track) for track in self._tracks], columns=[f.name for f in fields(Track)])

    def __repr__(self) -> str:
        lines = [_count(len(self), len(self.rejected))]
        lines += [f"  {_line(track)}" for track in self._tracks[:_SHOWN_ROWS]]
        if len(self) > _SHOWN_ROWS:
            lines.append(f"  … and {len(self) - _SHOWN_ROWS} more")
        lines += [f"  not added: {printable(str(entry))}" for entry in self.rejected[:_SHOWN_ROWS]]
        if len(self.rejected) > _SHOWN_ROWS:
            lines.append(f"  … and {len(self.rejected) - _SHOWN_ROWS} more not added, see .rejected")
        lines += [f"  {printable(note)}" for note in self.notes]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{html.escape(track.title)}</td><td>{html.escape(track.artist or '')}</td>"
            f"<td style='text-align:right'>{clock_time(track.duration_seconds)}</td>"
            f"<td>{html.escape(track.format or '')}</td><td>{html.escape(_match(track))}</td></tr>"
            for track in self._tracks[:_SHOWN_ROWS]
        )
        more = len(self) - _SHOWN_ROWS
        note = f"<p>… and {more} more</p>" if more > 0 else ""
        refused = "".join(
            f"<li>{html.escape(printable(str(entry)))}</li>" for entry in self.rejected[:_SHOWN_ROWS]
        )
        table = (
            "<table><thead><tr><th>title</th><th>artist</th><th>length</th><th>format</th><th></th></tr></thead>"
            f"<tbody>{rows}</tbody></table>"
            if rows
            else ""
        )
        not_added = f"<p>Not added:</p><ul>{refused}</ul>" if refused else ""
        said = "".join(f"<p>{html.escape(printable(one))}</p>" for one in self.notes)
        return f"<div><p>{_count(len(self), len(self.rejected))}</p>{table}{note}{not_added}{said}</div>"


def clock_time(seconds: float | None) -> str:
    """Minutes and seconds.

    >>> clock_time(61.4)
    '1:01'
    """
    if seconds is None:
        return ""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02d}"


def _count(tracks: int, rejected: int) -> str:
    text = f"{tracks} track{'' if tracks == 1 else 's'}"
    return f"{text}, {rejected} not added" if rejected else text


def _name(track: Track) -> str:
    """What a batch keeps a track by; Spotify's words expire, and are no part of it."""
    if track.pending and track.link and is_spotify(track.link):
        return track.link
    return track.path or track.title


def _line(track: Track) -> str:
    parts = [track.title, track.artist or "", clock_time(track.duration_seconds), _match(track)]
    return "  ".join(printable(part) for part in parts if part)


def _match(track: Track) -> str:
    """That a file of one's own stands for a link, and how sure that is."""
    if track.match_score is None:
        return ""
    return f"(your file, {track.match_score:.0%}: {track.match_reason})"
