"""The calls that clients make."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import soundforge_nb
from soundforge_nb.application.application import Application
from soundforge_nb.application.batching import insert_batch, snapshot
from soundforge_nb.application.dashboard_api import DashboardCalls
from soundforge_nb.application.finishing import results_of
from soundforge_nb.application.inserting import insert_jobs
from soundforge_nb.application.linking import link_tracks
from soundforge_nb.application.match_linking import match, unmatch
from soundforge_nb.application.requests import call
from soundforge_nb.cluster.discovery import RPC_PROTOCOL
from soundforge_nb.cluster.observer import Observer
from soundforge_nb.errors import InputError, JobNotFound, UsageError
from soundforge_nb.jobs import batches, table
from soundforge_nb.jobs.controls import KEEP, Keep
from soundforge_nb.library import catalog
from soundforge_nb.library.examine import Examined, examine, stamp_of
from soundforge_nb.pipeline import account
from soundforge_nb.spotify.sign_in import SignIn
from soundforge_nb.store.reader import Bounds, run_query

log = logging.getLogger(__name__)

#: A person's queries run beside each other, never in the way of the store's own threads.
QUERY_THREADS = 2


class Api(DashboardCalls):
    """One method a call; arguments and results are JSON, `sql` answers with Arrow."""

    def __init__(
        self, application: Application, stop: Callable[[float], None], observer: Observer | None = None
    ) -> None:
        super().__init__(application, observer)
        self._stop = stop
        self._sign_in = SignIn(application.config, application.clock)
        self._queries = ThreadPoolExecutor(QUERY_THREADS, thread_name_prefix="query")

    # -- the application ------------------------------------------------------------------------

    @call
    async def hello(self, version: str, protocol: int) -> dict[str, Any]:
        """Who answers here; the client decides whether it can go on."""
        log.debug("a client of version %s, protocol %s", version, protocol)
        return {
            "version": soundforge_nb.__version__,
            "protocol": RPC_PROTOCOL,
            "data_folder": str(self._application.config.data_folder),
            "sequence": self._application.pubsub.sequence,
        }

    @call
    async def follow(self, client: str) -> bool:
        """Tell this Dask client what happens from now on: calls overtake its own way of asking for that."""
        return self._observer is not None and self._observer.follow(client)

    @call
    async def status(self) -> dict[str, Any]:
        """The tree, the Dask workers, the queues and the metrics."""
        application = self._application
        counts = await application.engine.counting.read()
        return {
            "version": soundforge_nb.__version__,
            "healthy": application.supervisor.healthy,
            "http": self._observer.http if self._observer else None,
            "children": application.supervisor.which_children(),
            "dask_workers": [
                {"address": address, **self._nodes.get(address, {})} for address in application.ledger.nodes
            ],
            "queues": [{**entry, "jobs": counts.get(entry["queue"], {})} for entry in await self.queues()],
            "metrics": application.metrics.summary(),
        }

    @call
    async def stop(self, drain_seconds: float = 0.0) -> bool:
        """End the application; running jobs get `drain_seconds`, then they wait for the next start."""
        self._stop(drain_seconds)
        return True

    # -- the library ----------------------------------------------------------------------------

    @call
    async def add_files(self, paths: list[str]) -> dict[str, Any]:
        """Make tracks of files; each path ends in a track or in a reason."""
        store = self._application.store
        known = await store.read("known_files", partial(catalog.known_stamps, paths=paths))
        examined: list[Examined] = []
        tracks: dict[str, str] = {}
        rejected: list[dict[str, Any]] = []

        def look(path: str) -> Examined | str | InputError:
            try:
                stamp, track_id = known.get(path, (None, ""))
                return track_id if stamp == stamp_of(path) else examine(path)
            except InputError as error:
                return error

        for path in paths:
            found = await asyncio.to_thread(look, path)
            if isinstance(found, InputError):
                rejected.append({"name": path, "error": found.as_json()})
            elif isinstance(found, str):
                tracks[path] = found
            else:
                examined.append(found)
        if examined:
            now = self._application.clock.now()
            added = await store.write("add_files", partial(catalog.add_files, files=examined, now=now))
            tracks |= added
            self._application.pubsub.publish("tracks", {"added": len(added)})
        rows = await self.tracks([tracks[path] for path in paths if path in tracks])
        return {"tracks": rows, "paths": [path for path in paths if path in tracks], "rejected": rejected}

    @call
    async def add_links(self, links: list[str], jobs: dict[str, str] | None = None) -> dict[str, Any]:
        """Make tracks of links; their audio comes when it is needed.

        What Spotify has to be asked for is in ``waiting`` as {link, job_id}: once those jobs have ended, the
        same call with `jobs` gives all.
        """
        return await link_tracks(self._application, links, jobs or {})

    @call
    async def match(self, link: str, track_id: str) -> dict[str, Any]:
        """Let a file be a track of Spotify's, by a person's word; returns the file's track."""
        return await match(self._application, link, track_id)

    @call
    async def unmatch(self, named: str) -> dict[str, Any]:
        """Undo a match, of a track of Spotify's (its link) or of a file's (its id), for good."""
        return await unmatch(self._application, named)

    @call
    async def spotify_authorize(self) -> dict[str, str]:
        """Where a person signs in: {url, redirect_uri}."""
        return await asyncio.to_thread(self._sign_in.begin)

    @call
    async def spotify_signed_in(self, address: str) -> bool:
        """Take what a browser came back with."""
        await asyncio.to_thread(self._sign_in.finish, address)
        return True

    @call
    async def spotify_sign_out(self) -> bool:
        """Forget a person's tokens."""
        await asyncio.to_thread(self._sign_in.out)
        return True

    @call
    async def tracks(self, track_ids: list[str] | None = None) -> list[dict[str, Any]]:
        """All tracks, or those asked for in the order asked for, repeats included."""
        return await self._application.store.read("tracks", partial(catalog.tracks, track_ids=track_ids))

    @call
    async def stems(self, track_id: str) -> list[dict[str, Any]]:
        return await self._application.store.read("stems", partial(catalog.stems, track_id=track_id))

    @call
    async def analysis(self, track_id: str, source: str = "mixture") -> dict[str, Any] | None:
        """The newest whole analysis, or None."""
        return await self._application.store.read(
            "analysis", partial(catalog.analysis, track_id=track_id, source=source)
        )

    @call
    async def sql(self, query: str) -> bytes:
        """One SELECT, as an Arrow stream."""
        config = self._application.config
        bounds = Bounds(config.sql_timeout_seconds, config.sql_max_rows)
        await self._application.store.settle()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._queries, self._query, query, bounds)

    def _query(self, query: str, bounds: Bounds) -> bytes:
        connection = self._application.store.cursor()
        try:
            return run_query(connection, query, bounds)
        finally:
            connection.close()

    @call
    async def storage(self, clean: bool = False, grace_seconds: float | None = None) -> dict[str, Any]:
        """What the data folder holds, and what nobody needs of it; with `clean` that is removed."""
        if grace_seconds is not None and not 0 <= grace_seconds < float("inf"):
            raise UsageError(f"The grace can't be {grace_seconds} seconds.", "Give 0 or more.")
        janitor = self._application.janitor
        if clean:
            return await janitor.clean(grace_seconds)
        return {**(await janitor.look(grace_seconds)).as_json(), "removed": []}

    # -- batches and jobs -----------------------------------------------------------------------

    @call
    async def process(
        self,
        batch_id: str,
        inputs: list[dict[str, Any]],
        rejected: list[dict[str, Any]],
        options: dict[str, Any],
        output_folder: str | None = None,
    ) -> dict[str, Any]:
        """Insert a batch, once: `inputs` are {name, track_id}, `rejected` {name, error}."""
        found = await snapshot(self._application, batch_id)
        if found is not None:
            return found
        await insert_batch(self._application, batch_id, inputs, rejected, options, output_folder)
        return await self.batch(batch_id)

    @call
    async def batch(self, batch_id: str) -> dict[str, Any]:
        """A snapshot of a batch: state, counts, what runs, what failed."""
        found = await snapshot(self._application, batch_id)
        if found is None:
            raise JobNotFound(f"There is no batch {batch_id}.", "forge.jobs() lists what there is.")
        return found

    @call
    async def batch_account(self, batch_id: str) -> list[dict[str, Any]]:
        """Every input and step of a batch with what became of it."""
        rows = await self._application.store.read("account", partial(batches.account, batch_id=batch_id))
        for row in rows:
            row["status"] = account.status_of(row)
            row["sentence"] = account.sentence_of(row) if row["status"] == account.FAILED else None
        return rows

    @call
    async def batch_results(self, batch_id: str) -> list[dict[str, Any]]:
        """One row a track: what this batch asked for, as far as it is there."""
        return await self._application.store.read("results", partial(results_of, batch_id=batch_id))

    @call
    async def insert(
        self,
        kind: str,
        job_ids: list[str],
        args: list[dict[str, Any]],
        options: dict[str, Any],
        again: bool = False,
    ) -> list[str]:
        """Insert jobs of a kind; `options` are of all of them: priority, tags, max_attempts, parents …"""
        return await insert_jobs(self._application.engine, kind, job_ids, args, options, again=again)

    @call
    async def jobs(self, job_ids: list[str]) -> list[dict[str, Any]]:
        """Whole jobs, by id; those that do not exist are left out."""
        return await self._application.store.read("jobs", partial(table.get_jobs, job_ids=job_ids))

    @call
    async def unfinished(self, job_ids: list[str]) -> int:
        """How many of these jobs have not ended yet; while some run it is enough to count those."""
        ledger = self._application.ledger
        if running := sum(ledger.of_job(job_id) is not None for job_id in job_ids):
            return running
        return await self._application.store.read("unfinished", partial(table.unfinished, job_ids=job_ids))

    @call
    async def retry(self, job_ids: list[str]) -> int:
        """Give discarded and cancelled jobs another try; returns how many."""
        return await self._application.engine.retry(job_ids)

    @call
    async def cancel(self, job_ids: list[str], reason: str = "cancelled on request") -> int:
        return await self._application.engine.cancel(job_ids, reason)

    @call
    async def cancel_batch(self, batch_id: str, reason: str = "the batch was cancelled") -> int:
        """Cancel what a batch waits for, unless another batch waits for it too."""
        job_ids = await self._application.store.read(
            "jobs_of_batch", partial(batches.own_jobs, batch_id=batch_id)
        )
        return await self._application.engine.cancel(job_ids, reason)

    @call
    async def retry_batch(self, batch_id: str) -> int:
        """Give what failed in a batch another try."""
        rows = await self.batch_account(batch_id)
        failed = {row["job_id"] for row in rows if row["status"] == account.FAILED and row["job_id"]}
        return await self._application.engine.retry(sorted(failed))

    # -- queues -----------------------------------------------------------------------------------

    @call
    async def queues(self) -> list[dict[str, Any]]:
        """Each queue: how it is run, and how many jobs of it run."""
        engine = self._application.engine
        return [
            {**engine.controls.as_json(queue), "running": engine.ledger.running(queue)}
            for queue in engine.ledger.limits
        ]

    @call
    async def pause_queue(self, queue: str) -> bool:
        """Start nothing new in a queue, until it is resumed; a restart leaves it paused."""
        return await self._application.engine.controls.pause(queue)

    @call
    async def resume_queue(self, queue: str) -> bool:
        return await self._application.engine.controls.resume(queue)

    @call
    async def scale_queue(
        self, queue: str, limit: int | Keep | None = KEEP, global_limit: int | Keep | None = KEEP
    ) -> bool:
        """Set how many jobs of a queue run at once; None: as the settings say."""
        return await self._application.engine.controls.scale(queue, limit, global_limit)

    @call
    async def run_now(self, job_ids: list[str]) -> int:
        """Let scheduled and retryable jobs wait no more; returns how many."""
        return await self._application.engine.run_now(job_ids)

    # -- what Dask workers say ------------------------------------------------------------------

    @call
    async def node_ready(
        self,
        address: str,
        host: str,
        cores: int,
        kinds: list[str],
        limits: dict[str, int],
        gpus: int = 0,
        pulse: int | None = None,
    ) -> bool:
        """A Dask worker offers its slots."""
        self._nodes[address] = {
            "host": host,
            "cores": cores,
            "gpus": gpus,
            "kinds": kinds,
            "since": time.time(),
        }
        ledger, engine = self._application.ledger, self._application.engine
        if limits != ledger.limits and engine.dispatch is not None:
            # Scaled since the settings were written: it knows those alone.
            await engine.dispatch.set_limits(ledger.limits)
        engine.joined(address, gpus, host, pulse)
        return True

    def close(self) -> None:
        self._queries.shutdown(wait=False, cancel_futures=True)
