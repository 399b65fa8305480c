"""What a Spotify link names becomes tracks: from what was read lately, else by a job that reads it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from soundforge_nb.application.application import Application
from soundforge_nb.errors import DiskError, LinkError, SoundforgeError
from soundforge_nb.jobs import batches, insertion, table
from soundforge_nb.jobs.job import NewJob
from soundforge_nb.library import own_files, spotify_lists
from soundforge_nb.library.links import placeholder
from soundforge_nb.pipeline.kinds import READ_SPOTIFY
from soundforge_nb.pipeline.read_spotify import reading_key
from soundforge_nb.pipeline.song_files import SongFiles
from soundforge_nb.spotify.tokens import Tokens, sign_in_first
from soundforge_nb.spotify.urls import PLAYLIST, SpotifyLink
from soundforge_nb.store.session import Session

#: Read lately enough: a playlist changes under people's hands, a record hardly ever.
_FRESH = {PLAYLIST: timedelta(seconds=60)}
_FRESH_OTHERS = timedelta(days=1)


@dataclass
class Read:
    """What has become of one link."""

    track_ids: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    rejected: list[dict[str, Any]] = field(default_factory=list)
    #: What a person may wonder about.
    notes: list[str] = field(default_factory=list)
    #: The job that reads it, where that has yet to end.
    job_id: str | None = None


async def read_list(application: Application, link: SpotifyLink, job_id: str | None) -> Read:
    """Make tracks of what a link names, or begin to read it.

    Parameters
    ----------
    application : Application
    link : SpotifyLink
    job_id : str, optional
        A job of a call before this one that has read it by now.
    """
    try:
        if job_id is not None:
            await _must_have_ended(application, link, job_id)
        elif not await _is_fresh(application, link):
            await asyncio.to_thread(_check, application, link)
            return Read(job_id=await _begin(application, link))
        return await _tracks_of(application, link)
    except SoundforgeError as error:
        return Read(rejected=[{"name": link.url, "error": error.as_json()}])


async def _is_fresh(application: Application, link: SpotifyLink) -> bool:
    read = await application.store.read(
        "spotify_list", lambda session: spotify_lists.fetched_at(session, link.uri)
    )
    fresh = _FRESH.get(link.kind, _FRESH_OTHERS)
    return read is not None and timedelta(0) <= application.clock.now() - read < fresh


def _check(application: Application, link: SpotifyLink) -> None:
    """Refuse at once what no job could do."""
    tokens = Tokens(application.config, clock=application.clock)
    if link.kind == PLAYLIST and "user" not in tokens.known():
        raise sign_in_first()
    tokens.credentials()


async def _begin(application: Application, link: SpotifyLink) -> str:
    """Insert the job that reads a link, or join the one that does; returns its id."""
    key = reading_key(link, application.config.spotify_market)
    job = READ_SPOTIFY.new({"link": link.uri}, unique_key=key, meta={"name": link.url, "title": link.url})
    now = application.clock.now()

    def insert(session: Session) -> NewJob | str:
        pending = batches.pending_jobs(session, [key])
        if pending:
            return pending[key]
        insertion.insert_jobs(session, [job], now)
        return job

    inserted = await application.store.write("read_spotify", insert)
    if isinstance(inserted, str):
        return inserted
    application.engine.inserted([inserted])
    return inserted.job_id


async def _must_have_ended(application: Application, link: SpotifyLink, job_id: str) -> None:
    rows = await application.store.read("jobs", lambda session: table.get_jobs(session, [job_id]))
    state = rows[0]["state"] if rows else "cancelled"
    if state == "completed":
        return
    error = (rows[0]["error"] if rows else None) or {}
    if state in ("discarded", "cancelled"):
        raise LinkError(
            str(error.get("message") or f"{link.url} was not read."),
            str(error.get("remedy") or "Add it again."),
            kind=str(error.get("kind") or "spotify"),
        )
    why = f" ({error['message']})" if error.get("message") else ""
    raise LinkError(
        f"{link.url} is still being read{why}.", "Add it again later: what was read is kept.", kind="waiting"
    )


async def _tracks_of(application: Application, link: SpotifyLink) -> Read:
    now = application.clock.now()

    def link_all(session: Session) -> tuple[list[dict[str, Any]], dict[str, str]]:
        entries = spotify_lists.entries(session, link.uri)
        ids = list(dict.fromkeys(entry["spotify_id"] for entry in entries if entry["spotify_id"]))
        return entries, spotify_lists.add_tracks(session, ids, now)

    entries, by_id = await application.store.write("add_spotify", link_all)
    await own_files_first(application, list(by_id.values()))
    read = Read()
    # A song that a playlist holds twice is one track.
    for spotify_id, track_id in by_id.items():
        read.track_ids.append(track_id)
        read.names.append(SpotifyLink("track", spotify_id).url)
    for entry in entries:
        if entry["refusal"]:
            place = f"{link.url}, entry {entry['position'] + 1}"
            error = LinkError(f"{place}, {entry['refusal']}.", "Add your own file of it.", kind="no_track")
            read.rejected.append({"name": place, "error": error.as_json()})
    songs = sum(entry["spotify_id"] is not None for entry in entries)
    if songs > len(by_id):
        # A playlist may hold a song twice, and a song may stand on several records.
        read.notes.append(f"{link.url}: {songs} entries are {len(by_id)} recordings, each came once.")
    if not entries:
        error = LinkError(f"{link.url} is empty.", kind="empty")
        read.rejected.append({"name": link.url, "error": error.as_json()})
    return read


async def keep_songs(application: Application, tracks: list[dict[str, Any]]) -> None:
    """Keep what these tracks of Spotify's are looked for by, for the children that look.

    Raises
    ------
    DiskError
        The folder can't be written.
    """
    songs = SongFiles(application.config.links_folder)

    def keep() -> None:
        for track in tracks:
            # One whose title has expired can't be looked for.
            is_told_of = str(track["byte_hash"]).startswith(placeholder(spotify_lists.MARK))
            if is_told_of and track["title"] != track["link_mark"]:
                songs.keep(track["link_mark"].removeprefix(spotify_lists.MARK), track)

    try:
        await asyncio.to_thread(keep)
    except OSError as error:
        raise DiskError(
            f"What songs are looked for by can't be kept in the data folder: {error.strerror}.",
            "Make room, or allow writing there.",
        ) from error


async def own_files_first(application: Application, track_ids: list[str]) -> int:
    """Where a file of one's own is what Spotify tells of, the track becomes that file; returns how many."""
    store, now = application.store, application.clock.now()
    wanted = await store.read("own_files", partial(own_files.look, track_ids=track_ids))
    if not wanted.pending or not wanted.own:
        return 0
    matches = await asyncio.to_thread(own_files.find, wanted)
    if not matches:
        return 0
    take = partial(own_files.take, matches=matches, spotify_ids=wanted.spotify_ids, now=now)
    return await store.write("match_own_files", take)
