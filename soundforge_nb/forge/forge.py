"""Forge and connect(): the way into the library and to the jobs."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import soundforge_nb
from soundforge_nb import config as configuration
from soundforge_nb.cluster.connection import Connection
from soundforge_nb.cluster.discovery import RPC_PROTOCOL, mismatch
from soundforge_nb.cluster.launch import find_or_start, find_running
from soundforge_nb.cluster.link import Link
from soundforge_nb.cluster.security import security_of
from soundforge_nb.config import Config
from soundforge_nb.errors import JobNotFound, UsageError
from soundforge_nb.forge.adding import Adding, Named
from soundforge_nb.forge.answer import Answer
from soundforge_nb.forge.batch import Batch
from soundforge_nb.forge.matches import MatchCalls
from soundforge_nb.forge.queues import QueueCalls
from soundforge_nb.forge.storage import Storage
from soundforge_nb.forge.tracks import Track, TrackList
from soundforge_nb.lifecycle.identifiers import new_id, new_ids
from soundforge_nb.lifecycle.topics import fits
from soundforge_nb.pipeline.options import Analysis, Separation, read_analysis, read_separation

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from soundforge_nb.forge.views import Dashboard

_JOBS_A_CALL = 10_000
#: While waiting: so many jobs are looked at, at least that often, and not more often than that.
_LOOK_AT = 1000
_LOOK_SECONDS = 5.0
_PAUSE_SECONDS = 0.1

_JOBS_QUERY = """
SELECT job_id, kind, queue, state, attempt, max_attempts, progress, message, batch_id, track_id,
    inserted_at, attempted_at, completed_at, json_extract_string(error, '$.message') AS error
FROM jobs"""


class Forge(QueueCalls, MatchCalls):
    """A connection to one library and the jobs on it. Closing it ends no job.

    Made by `connect`; also a context manager.
    """

    def __init__(self, config: Config, connection: Connection | Link) -> None:
        self.config = config
        self._connection = connection
        self._check_version()

    # -- library --------------------------------------------------------------------------------

    def add(self, *named: Named | Iterable[Named]) -> TrackList:
        """Add files, folders, globs or links to the library; adding twice is adding once.

        Originals are never changed. A link's audio is fetched when it is processed; Spotify's links become
        tracks of what Spotify says. What can't be added never raises: it stands in the result's `rejected`,
        each with a sentence.
        """
        return Adding(self.call, self.wait).add(named)

    def sign_in_to_spotify(self, *, headless: bool = False) -> None:
        """Let Spotify show you your playlists here: once, in a browser; the sign-in is kept.

        A notebook shows a button that leads there; elsewhere the browser opens by itself.

        Parameters
        ----------
        headless : bool
            The browser is on another machine: the address that it ends at is pasted.

        Raises
        ------
        SpotifyError
            No client is set, or nobody agreed.
        """
        from soundforge_nb.forge.spotify import ask_for_address, invitation

        asked = self.call("spotify_authorize")
        invite = invitation(tell, headless=headless)
        address = ask_for_address(**asked, headless=headless, invite=invite, ask=input)
        self.call("spotify_signed_in", address=address)
        tell("Signed in: your playlists can be added.")

    def sign_out_of_spotify(self) -> None:
        """Forget the sign-in."""
        self.call("spotify_sign_out")

    def tracks(self) -> pd.DataFrame:
        """All tracks of the library."""
        return TrackList(map(Track.from_row, self.call("tracks"))).df()

    def jobs(self, batch: Batch | str | None = None) -> pd.DataFrame:
        """Jobs, the newest first: all of them, or those of a batch."""
        query = _JOBS_QUERY
        if batch is not None:
            batch_id = batch.batch_id if isinstance(batch, Batch) else str(batch)
            if not all(letter in "0123456789abcdef-" for letter in batch_id):
                raise UsageError(f"{batch_id!r} is no batch id.", "Give a Batch or its batch_id.")
            query += f" WHERE batch_id = '{batch_id}'"
        return self.sql(f"{query} ORDER BY job_id DESC").df()

    def sql(self, query: str) -> Answer:
        """Ask the library in SQL: one SELECT, read-only, bounded in time and size.

        Tables: tracks, files, links, batches, batch_inputs, jobs, job_parents, attempts, stems, analyses.

        Raises
        ------
        QueryError
            It is no single SELECT, it is wrong, or it outgrew its bounds.
        """
        return Answer(self.call("sql", query=query, timeout_seconds=self.config.sql_timeout_seconds + 10))

    def analysis(self, track: Track | str, source: str = "mixture") -> dict[str, Any] | None:
        """The newest whole analysis of a track (or of one of its stems): features and curves."""
        found: dict[str, Any] | None = self.call("analysis", track_id=_track_id(track), source=source)
        return found

    def stems(self, track: Track | str) -> pd.DataFrame:
        """The stems of a track, of every separation, the newest first."""
        import pandas as pd

        columns = ["stem", "path", "model", "format", "duration_seconds", "peak", "rms", "null_residual_db"]
        return pd.DataFrame(self.call("stems", track_id=_track_id(track)), columns=columns)

    def demo_song(self) -> Path:
        """The song that ships with the package (CC0), as a file to add."""
        from soundforge_nb.forge.demo import demo_song

        return demo_song(self.config.cache_folder / "demo")

    def plot(self, track: Track | str) -> Figure:
        """A picture of what is known of a track: waveform and beats, loudness, chroma, its newest stems."""
        from soundforge_nb.dashboards.plots import track_figure

        track_id = _track_id(track)
        stems = self.call("stems", track_id=track_id)
        newest = [stem for stem in stems if stem["content_key"] == stems[0]["content_key"]]
        (row,) = self.call("tracks", track_ids=[track_id]) or [{"title": track_id}]
        return track_figure(row["title"], self.analysis(track_id), newest)

    def storage(self, *, clean: bool = False, grace_days: float | None = None) -> Storage:
        """What the data folder holds, kind by kind, and the files that nobody needs, each with its proof.

        Parameters
        ----------
        clean : bool
            Remove those files. Nothing that a row of the library names, that is younger than the grace, or
            that lies outside the data folder is ever touched.
        grace_days : float, optional
            How long a file must have been left alone; by default as `Config.orphan_grace_seconds` says.
        """
        grace = None if grace_days is None else grace_days * 86_400
        found = self.call("storage", clean=clean, grace_seconds=grace, timeout_seconds=600)
        return Storage(**found)

    # -- jobs -----------------------------------------------------------------------------------

    def process(
        self,
        tracks: TrackList | Track | Named | Iterable[Track | Named],
        *,
        separate: str | Separation | dict[str, Any] | None = None,
        analyze: str | Iterable[str] | Analysis | None = None,
        analyze_stems: str | Iterable[str] | Analysis | None = None,
        output_folder: Named | None = None,
    ) -> Batch:
        """Separate and analyze tracks; what exists already is not computed again.

        Parameters
        ----------
        tracks : TrackList, Track, path, or several
            Paths and links are added first; what was rejected stands in the batch's account.
        separate : str, Separation or dict, optional
            A model's name (``"htdemucs"``, ``"demo"`` …) or options, see `Separation`.
        analyze : str, sequence of str or Analysis, optional
            ``"all"``, or some of tempo, key, energy, spectral, mfcc, chroma.
        analyze_stems : optional
            The same, for each stem once it is there.
        output_folder : path, optional
            Stems, analyses and a manifest are written there when the batch ends.

        Returns
        -------
        Batch
            At once; it runs in the application.

        Raises
        ------
        UsageError
            An option does not fit.
        """
        separation, analysis = read_separation(separate), read_analysis(analyze)
        of_stems = read_analysis(analyze_stems)
        listed = self._listed(tracks)
        folder = None if output_folder is None else str(Path(output_folder).expanduser().absolute())
        snapshot = self.call(
            "process",
            # Named here: should the connection break, the call can be repeated without a second batch.
            batch_id=new_id(),
            inputs=[
                {"name": name, "track_id": track.track_id}
                for name, track in zip(listed.names, listed, strict=True)
            ],
            rejected=[{"name": entry.name, "error": entry.error} for entry in listed.rejected],
            options={
                "separate": separation.as_json() if separation else None,
                "analyze": analysis.as_json() if analysis else None,
                "analyze_stems": of_stems.as_json() if of_stems else None,
            },
            output_folder=folder,
        )
        return Batch(self, snapshot)

    def batch(self, batch_id: str) -> Batch:
        """A batch of before, by its id."""
        return Batch(self, self.call("batch", batch_id=batch_id))

    def insert(self, kind: str, args: Iterable[dict[str, Any]], **options: Any) -> list[str]:
        """Insert jobs of a kind, one for each `args`; returns their ids.

        Parameters
        ----------
        kind : str
            The name of a kind that the application knows: see the setting ``kinds``.
        args : iterable of dict
            The arguments of each job; JSON.
        **options
            For all of them: ``priority`` (0 first … 9), ``max_attempts``, ``tags``, ``meta``, ``parents``
            (ids of jobs whose results it waits for), ``scheduled_in_seconds``.

        Raises
        ------
        UnknownKind
            The application knows no such kind.
        UsageError
            An option or argument does not fit.
        """
        wanted = list(args)
        inserted: list[str] = []
        for start in range(0, len(wanted), _JOBS_A_CALL):
            part = wanted[start : start + _JOBS_A_CALL]
            # Named here: should the connection break, the call can be repeated without a second job.
            job_ids = new_ids(len(part))
            inserted += self.call("insert", kind=kind, job_ids=job_ids, args=part, options=options)
        return inserted

    def wait(self, job_ids: Iterable[str], timeout_seconds: float | None = None) -> bool:
        """Wait until these jobs have ended, however; False where they have not in time."""
        waited = list(job_ids)
        changed = threading.Event()
        unfollow = self.follow(lambda message: changed.set())
        until = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        try:
            while waited:
                changed.clear()
                # Of ten thousand, these are looked at until they have ended; the others may have meanwhile.
                if not self.call("unfinished", job_ids=waited[:_LOOK_AT]):
                    del waited[:_LOOK_AT]
                    continue
                left = _LOOK_SECONDS if until is None else min(_LOOK_SECONDS, until - time.monotonic())
                if left <= 0:
                    return False
                changed.wait(left)
                # Many jobs end at once: one look for all of them.
                time.sleep(min(_PAUSE_SECONDS, left))
            return True
        finally:
            unfollow()

    def job(self, job_id: str) -> dict[str, Any]:
        """One job in full: arguments, state, result, error, times.

        Raises
        ------
        JobNotFound
        """
        found: list[dict[str, Any]] = self.call("jobs", job_ids=[job_id])
        if not found:
            raise JobNotFound(f"There is no job {job_id}.", "forge.jobs() lists what there is.")
        return found[0]

    def retry(self, *job_ids: str) -> int:
        """Give discarded and cancelled jobs another try; returns how many it concerned."""
        return int(self.call("retry", job_ids=list(job_ids)))

    def cancel(self, *job_ids: str) -> int:
        """Cancel jobs and what would follow them; running ones end within two seconds."""
        return int(self.call("cancel", job_ids=list(job_ids)))

    def status(self) -> dict[str, Any]:
        """The application: its children, Dask workers, queues and metrics."""
        found: dict[str, Any] = self.call("status")
        return found

    def dashboard(self, *, read_only: bool | None = None, tab: str = "jobs") -> Dashboard:
        """Queues, jobs, metrics and services, live.

        Parameters
        ----------
        read_only : bool, optional
            Refuse every action, for pages that several people see.
        tab : {"jobs", "metrics", "system"}
            What is shown first.
        """
        from soundforge_nb.forge.views import Dashboard

        return Dashboard(self, tab, read_only)

    def metrics(self) -> Dashboard:
        """The dashboard, open at the curves of everything that is measured."""
        return self.dashboard(tab="metrics")

    # -- connection -----------------------------------------------------------------------------

    def call(self, method: str, *, timeout_seconds: float | None = None, **arguments: Any) -> Any:
        """One call of the application."""
        return self._connection.call(method, timeout_seconds=timeout_seconds, **arguments)

    def follow(
        self, listener: Callable[[dict[str, Any]], None], topic: str | None = None
    ) -> Callable[[], None]:
        """Have `listener` told each outbound message, in a thread of its own; returns what ends it.

        Parameters
        ----------
        listener : callable
            Given a dict with ``topic``, ``sequence`` and ``body``. Of topic ``connection`` it is told after a
            loss: what it followed may have a gap, and a snapshot tells how things stand.
        topic : str, optional
            Only these: ``jobs``, ``jobs:<job id>``, ``batches``, ``batches:<batch id>`` (with its jobs),
            ``queues``, ``tracks``, ``metrics``.
        """
        if topic is None:
            return self._connection.follow(listener)
        return self._connection.follow(lambda message: listener(message) if fits(topic, message) else None)

    def close(self) -> None:
        """Let go of the connection. Jobs go on."""
        self._connection.close()

    def __enter__(self) -> Forge:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Forge {self.config.data_folder} at {self._connection.address}>"

    def _check_version(self) -> None:
        hello = self.call("hello", version=soundforge_nb.__version__, protocol=RPC_PROTOCOL)
        if hello["protocol"] != RPC_PROTOCOL:
            self.close()
            raise mismatch(hello["version"], hello["protocol"])
        if hello["version"] != soundforge_nb.__version__:
            tell(
                f"The application that runs is version {hello['version']}, this is "
                f"{soundforge_nb.__version__}; they understand each other. "
                "soundforge restart brings it up to date."
            )

    def _listed(self, tracks: TrackList | Track | Named | Iterable[Track | Named]) -> TrackList:
        if isinstance(tracks, TrackList):
            return tracks
        if isinstance(tracks, Track):
            return TrackList([tracks])
        if isinstance(tracks, (str, os.PathLike)):
            return self.add(tracks)
        several = list(tracks)
        if all(isinstance(entry, Track) for entry in several):
            return TrackList(entry for entry in several if isinstance(entry, Track))
        paths = [entry for entry in several if isinstance(entry, (str, os.PathLike))]
        if len(paths) != len(several):
            raise UsageError("Tracks and paths are mixed.", "Give forge.add(...)'s result, or only paths.")
        return self.add(paths)


def connect(
    address: str | None = None,
    *,
    data_folder: Named | None = None,
    in_process: bool = False,
    start: bool = True,
    **settings: Any,
) -> Forge:
    """Attach to the application of a data folder, starting it in the background where none runs.

    Parameters
    ----------
    address : str, optional
        ``tls://…`` of a Dask scheduler that hosts an application; its keys are read from the data folder.
    data_folder : path, optional
        Else ``SOUNDFORGE_DATA_FOLDER``, else the platform's place for application files.
    in_process : bool
        Run everything in this process; for tests and debugging. It ends with the Forge.
    start : bool
        False: only attach.
    **settings
        Fields of `Config`; those of the application count where this call starts it.

    Raises
    ------
    ConnectError
        It can't be started or reached.
    ConfigError
        A setting is wrong.
    """
    config = configuration.load(data_folder, **settings)
    if in_process:
        from soundforge_nb.forge.in_process import connect_in_process

        return connect_in_process(config)
    link = Link(
        lambda: _connection(config, address, start),
        patience_seconds=config.reconnect_seconds,
        tell=tell,
    )
    try:
        return Forge(config, link)
    except BaseException:
        link.close()
        raise


def tell(sentence: str) -> None:
    """Say something beside a call's result: on stderr, a notebook's red box."""
    print(sentence, file=sys.stderr, flush=True)


def _connection(config: Config, address: str | None, start: bool) -> Connection:
    limit = config.rpc_timeout_seconds
    if address is not None:
        return Connection(address, security_of(config.tls_folder), timeout_seconds=limit)
    whereabouts = find_or_start(config) if start else find_running(config)
    whereabouts.check_version()
    security = security_of(config.tls_folder)
    return Connection(whereabouts.address, security, timeout_seconds=limit, is_alive=whereabouts.is_alive)


def _track_id(track: Track | str) -> str:
    return track.track_id if isinstance(track, Track) else str(track)
