"""The kind that reads what a Spotify link names: a track, an album, a playlist."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from soundforge_nb.config import Config
from soundforge_nb.errors import SoundforgeError
from soundforge_nb.jobs.job import Cancel, Completed, Job, Outcome
from soundforge_nb.jobs.kind import Context, Kind, Record
from soundforge_nb.library.spotify_lists import as_inserts
from soundforge_nb.pipeline.download_track import partial_name
from soundforge_nb.pipeline.keys import digest
from soundforge_nb.pipeline.waiting import waited_out
from soundforge_nb.spotify.pages import open_pages
from soundforge_nb.spotify.reading import read_all
from soundforge_nb.spotify.tokens import Tokens
from soundforge_nb.spotify.urls import SpotifyLink, parse

_PAGES = "pages.jsonl"


class ReadSpotify(Kind):
    """A light kind: it asks and writes down, and looks between pages whether it is to end."""

    name = "read_spotify"
    queue = "download"
    max_attempts = 3
    runs_in = "dask_task"
    #: Somebody waits for it, and it holds its slot for seconds.
    priority = 2

    def process(self, job: Job, context: Context) -> Outcome:
        """Read page after page; what is read stays for the next attempt."""
        # Here, not above: spotipy and requests are loaded where Spotify is asked.
        from soundforge_nb.spotify.web import Client

        def report(percent: int, message: str) -> None:
            if context.cancelled.is_set():
                raise _Cancelled
            context.progress(percent, message)

        link = parse(str(job.args["link"]))
        config = context.config
        path = config.partial_folder / f"{partial_name(reading_key(link, config.spotify_market))}.part"
        try:
            client = Client(config, Tokens(config))
            try:
                with open_pages(path) as pages:
                    read_all(link, client, pages, report)
                    path.replace(context.staging_folder / _PAGES)
                    return Completed({"staged": _PAGES, "count": pages.entries})
            finally:
                client.close()
        except _Cancelled:
            return Cancel("It was cancelled.")
        except SoundforgeError as error:
            return waited_out(job, _named(error, link), self.max_attempts)

    def record(self, job: Job, result: dict[str, Any], config: Config, now: datetime) -> Record:
        """Write down what was read; the tracks are made by whoever asked."""
        lines = _lines(config.staging_folder / job.lease_id / _PAGES)
        head = next(lines)
        entries = (entry for line in lines for entry in line["entries"])
        inserts, updates = as_inserts(head["link"], entries, now)
        return Record(result={"count": result["count"]}, inserts=inserts, updates=updates)


def reading_key(link: SpotifyLink, market: str) -> str:
    """Names the work of reading a link, whoever asks for it."""
    return digest("read_spotify", link.uri, market)


def _named(error: SoundforgeError, link: SpotifyLink) -> SoundforgeError:
    """An error that names the link it is about."""
    return type(error)(f"{link.url}: {error.message}", error.remedy, kind=error.kind, details=error.details)


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    with file.open("rb") as stream:
        for line in stream:
            yield json.loads(line)


class _Cancelled(Exception):
    """Somebody asked for the end."""
