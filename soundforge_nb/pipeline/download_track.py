"""The kind that brings a track's audio here."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from soundforge_nb.config import Config
from soundforge_nb.errors import SoundforgeError
from soundforge_nb.jobs.job import Completed, Job, Outcome
from soundforge_nb.jobs.kind import Context, Insert, Kind, Move, Record, Update
from soundforge_nb.library.catalog import FILE_COLUMNS
from soundforge_nb.library.examine import examine
from soundforge_nb.library.links import merge_if_known
from soundforge_nb.library.names import safe_name
from soundforge_nb.library.scan import AUDIO_SUFFIXES
from soundforge_nb.library.spotify_lists import MARK
from soundforge_nb.pipeline.decoded import track_update
from soundforge_nb.pipeline.keys import digest
from soundforge_nb.pipeline.link_files import LinkFiles
from soundforge_nb.pipeline.song_files import SongFiles
from soundforge_nb.pipeline.source import FILE, Source
from soundforge_nb.pipeline.waiting import waited_out
from soundforge_nb.ports.cold import cold_port
from soundforge_nb.ports.downloader import Downloader, Wanted
from soundforge_nb.ports.program import DOWNLOAD
from soundforge_nb.spotify.urls import shown
from soundforge_nb.store.statements import statement


class DownloadTrack(Kind):
    name = "download_track"
    queue = "download"
    max_attempts = 3
    # Its work is a child: the program that downloads.
    runs_in = "dask_task"

    def process(self, job: Job, context: Context) -> Outcome:
        """Fetch in a child, into the staging folder of this lease."""
        port = cold_port(DOWNLOAD, context.config, threads=1, supervisor=context.ports)
        try:
            found = Downloader(port, context.config).download(
                wanted_of(job, context.config.links_folder),
                context.staging_folder,
                owner=job.lease_id,
                on_progress=context.progress,
            )
            examined = examine(str(found.file))
        except SoundforgeError as error:
            return waited_out(job, error, self.max_attempts)
        tags = examined.tags
        return Completed(
            {
                "staged": found.file.name,
                "names": list(found.names),
                "byte_hash": examined.byte_hash,
                "size_bytes": examined.stamp.size_bytes,
                "mtime_ns": examined.stamp.mtime_ns,
                "tags": {name: getattr(tags, name) for name in _TAGS},
                "audio": found.audio,
            }
        )

    def record(self, job: Job, result: dict[str, Any], config: Config, now: datetime) -> Record:
        """Move the file into its place and say so of its track."""
        # A name from a child, though our own: only its last part may choose a place.
        staged = Path(result["staged"]).name
        if staged in ("", ".."):
            raise ValueError(f"the downloader named its file {result['staged']!r}")
        target = config.downloads_folder / str(job.track_id) / _file_name(job, result, staged)
        source = Source(
            str(target),
            result["byte_hash"],
            result["audio"].get("duration_seconds"),
            result["size_bytes"],
            result["mtime_ns"],
        )
        row = {
            "path": source.path,
            "track_id": job.track_id,
            "byte_hash": source.byte_hash,
            "size_bytes": source.size_bytes,
            "mtime_ns": source.mtime_ns,
            "added_at": now,
        }
        tags = {name: result["tags"].get(name) for name in _TAGS}
        parameters = {
            **tags,
            "track_id": job.track_id,
            "byte_hash": source.byte_hash,
            "format": target.suffix.lstrip("."),
        }
        return Record(
            result={FILE: source.as_json(), "title": _title(job, result)},
            inserts=(Insert("files", FILE_COLUMNS, (row,), replace=True),),
            updates=(
                *merge_if_known(job.track_id, source.byte_hash),
                Update(statement("library", "downloaded"), parameters),
                track_update(job, result),
            ),
            moves=(Move(config.staging_folder / job.lease_id / staged, target),),
        )


_NAME_BYTES = 110
_TAGS = ("title", "artist", "album", "genre", "year", "isrc")


def download_key(mark: str) -> str:
    """Names the work of fetching a link, by its mark, whoever asks for it."""
    return digest("download", mark)


def partial_name(key: str) -> str:
    """What the bytes of an unfinished download go by, from its job's key."""
    return key[:32]


def wanted_of(job: Job, links_folder: Path) -> Wanted:
    """What a job is to fetch: only here and in the child is the link whole, or what a song is looked for by.

    Raises
    ------
    LinkError
        It is not kept any more.
    """
    mark, shown_form = str(job.args["mark"]), str(job.args["link"])
    song = SongFiles(links_folder).song(mark.removeprefix(MARK)) if mark.startswith(MARK) else None
    return Wanted(
        link=LinkFiles(links_folder).whole(mark, shown_form),
        shown=shown(shown_form),
        song=song,
        partial_name=partial_name(download_key(mark)),
        duration_seconds=song["duration_seconds"] if song else job.args.get("duration_seconds"),
    )


def _title(job: Job, result: dict[str, Any]) -> str:
    """What a row of a job may call it: a title that Spotify gave is in the file's tags, and nowhere else."""
    known = str(job.args["title"])
    return known if str(job.args["mark"]).startswith(MARK) else str(result["tags"].get("title") or known)


def _file_name(job: Job, result: dict[str, Any], staged: str) -> str:
    suffix = Path(staged).suffix.lower()
    # Short of what a file system takes by the longest suffix.
    base = safe_name(_title(job, result)).encode()[:_NAME_BYTES].decode("utf-8", "ignore").rstrip(". ")
    return f"{base}{suffix if suffix in AUDIO_SUFFIXES else '.audio'}"
