"""A person says which file a track of Spotify's is, or is not."""

from __future__ import annotations

from functools import partial
from typing import Any

from soundforge_nb.application.application import Application
from soundforge_nb.errors import InputError, LinkError
from soundforge_nb.library import catalog
from soundforge_nb.library.matches_by_hand import match_by_hand, matches, undo
from soundforge_nb.pipeline.links import read_link
from soundforge_nb.spotify.urls import TRACK, SpotifyLink, is_spotify
from soundforge_nb.store.session import Session


async def match(application: Application, link: str, track_id: str) -> dict[str, Any]:
    """Let a file be a track of Spotify's; returns the file's track.

    Raises
    ------
    LinkError
        It is no link of one track, or the track has audio of its own.
    InputError
        The track has no file.
    """
    song, now = _song(link), application.clock.now()

    def matched(session: Session) -> dict[str, Any]:
        (track,) = catalog.tracks(session, [track_id]) or [{"path": None}]
        if track["path"] is None:
            raise InputError(f"{track_id} is no track with a file.", "Add the file first.", kind="no_audio")
        if not match_by_hand(session, song.spotify_id, track["track_id"], now):
            raise LinkError(
                f"{song.url} can't be made your file: its own audio was fetched, or it was never added.",
                "Add it first: forge.add(…).",
                kind="no_match",
            )
        (track,) = catalog.tracks(session, [track_id])
        return track

    track = await application.store.write("match", matched)
    application.pubsub.publish("tracks", {"added": 0})
    return track


async def unmatch(application: Application, named: str) -> dict[str, Any]:
    """Undo a match; `named` is Spotify's link, or the id of a file's track.

    Returns
    -------
    dict
        ``tracks``, each Spotify's alone again, and their links in ``names``.

    Raises
    ------
    InputError
        No match has that name.
    """
    by_link = is_spotify(named)
    spotify_id, track_id = (_song(named).spotify_id, None) if by_link else (None, named)
    found = await application.store.read(
        "matches", partial(matches, spotify_id=spotify_id, track_id=track_id)
    )
    if not found:
        raise InputError(
            f"{_song(named).url if by_link else named} was taken for nothing.",
            "A track that was has its match_score.",
            kind="no_match",
        )
    now = application.clock.now()

    def undone(session: Session) -> list[dict[str, Any]]:
        ids = [undo(session, one, now) for one in found]
        return catalog.tracks(session, ids)

    rows = await application.store.write("unmatch", undone)
    application.pubsub.publish("tracks", {"added": len(rows)})
    return {"tracks": rows, "names": [SpotifyLink(TRACK, one["spotify_id"]).url for one in found]}


def _song(link: str) -> SpotifyLink:
    found = read_link(link).spotify
    if found is None or found.kind != TRACK:
        raise LinkError("Not a link of one track of Spotify's.", "Give https://open.spotify.com/track/…")
    return found
