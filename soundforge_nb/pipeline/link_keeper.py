"""Lets go of links that hold a key once their audio is here, and of downloads that nobody will go on with."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from soundforge_nb.config import Config
from soundforge_nb.errors import StoreError
from soundforge_nb.library import spotify_lists
from soundforge_nb.library.links import link_paths, wanted_downloads
from soundforge_nb.library.partials import sweep_partials
from soundforge_nb.lifecycle.clock import Clock, SystemClock
from soundforge_nb.lifecycle.supervisor import Service
from soundforge_nb.lifecycle.telemetry import Telemetry
from soundforge_nb.pipeline.download_track import DownloadTrack, partial_name
from soundforge_nb.pipeline.link_files import LinkFiles
from soundforge_nb.pipeline.song_files import SongFiles
from soundforge_nb.store.store import Store

log = logging.getLogger(__name__)

#: A look at least that often; one follows the end of every download at once.
LOOK_SECONDS = 600.0
#: A link that no row knows may be about to get one.
LINK_GRACE_SECONDS = 3600.0
#: A download that was given up may be asked for again: what came of it is kept so long.
PARTIAL_GRACE_SECONDS = 86_400.0
_HANDLER = "link-keeper"


class LinkKeeper(Service):
    """Looks at its start, after each download, and now and then."""

    def __init__(
        self,
        config: Config,
        store: Callable[[], Store],
        telemetry: Telemetry,
        *,
        clock: Clock | None = None,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._clock = clock or SystemClock()
        self._metadata_days = config.spotify_metadata_days
        self._links = LinkFiles(config.links_folder)
        self._songs = SongFiles(config.links_folder)
        self._partial_folder = config.partial_folder
        self._store = store
        self._telemetry = telemetry
        self._wall_clock = wall_clock
        self._due = asyncio.Event()

    async def start(self) -> None:
        loop = asyncio.get_running_loop()

        def ended(event: str, measurements: Mapping[str, float], metadata: Mapping[str, Any]) -> None:
            if metadata.get("kind") == DownloadTrack.name:
                loop.call_soon_threadsafe(self._due.set)

        self._telemetry.attach(_HANDLER, ("job.stop",), ended)

    async def stop(self) -> None:
        self._telemetry.detach(_HANDLER)

    async def run(self) -> None:
        while True:
            self._due.clear()
            try:
                await self.look()
            except (StoreError, OSError) as error:
                # What is due stays due.
                log.warning("links that were used could not be let go of: %s", error)
            try:
                await asyncio.wait_for(self._due.wait(), LOOK_SECONDS)
            except TimeoutError:
                continue

    async def look(self) -> list[str]:
        """Let go of what is needed no more; returns the marks of the links."""
        kept = await asyncio.to_thread(self._links.kept)
        known: dict[str, list[str]] = {}
        if kept:
            known = await self._store().read("link_paths", partial(link_paths, marks=list(kept)))
        keys = await self._store().read("wanted_downloads", wanted_downloads)
        await self._forget_metadata()
        await self._let_go_of_songs()
        return await asyncio.to_thread(self._let_go, kept, known, {partial_name(key) for key in keys})

    async def _forget_metadata(self) -> None:
        """What Spotify said is kept for a time alone."""
        before = self._clock.now() - timedelta(days=self._metadata_days)
        if await self._store().read("old_metadata", partial(spotify_lists.has_older, before=before)):
            await self._store().write("forget_metadata", partial(spotify_lists.forget_older, before=before))

    async def _let_go_of_songs(self) -> None:
        """What a track is looked for by is kept no longer than what Spotify said, and than it is needed."""
        songs = await asyncio.to_thread(self._songs.kept)
        if not songs:
            return
        marks = [spotify_lists.MARK + spotify_id for spotify_id in songs]
        told = await self._store().read("told_tracks", partial(spotify_lists.told, spotify_ids=songs))
        paths = await self._store().read("link_paths", partial(link_paths, marks=marks))

        def let_go() -> None:
            for spotify_id, mark in zip(songs, marks, strict=True):
                if spotify_id not in told or any(Path(path).exists() for path in paths.get(mark, ())):
                    self._songs.drop(spotify_id)

        await asyncio.to_thread(let_go)

    def _let_go(self, kept: dict[str, float], known: dict[str, list[str]], needed: set[str]) -> list[str]:
        now = self._wall_clock()
        sweep_partials(self._partial_folder, needed, now - PARTIAL_GRACE_SECONDS)
        dropped = []
        for mark, came in kept.items():
            # A file that somebody removed has to be fetched again.
            used = any(Path(path).exists() for path in known.get(mark, ()))
            if used or (mark not in known and came < now - LINK_GRACE_SECONDS):
                self._links.drop(mark)
                dropped.append(mark)
        return dropped
