"""The application's process: scheduler, extension, nannied Dask workers, from start to end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import dask
import distributed
from distributed.scheduler import Scheduler

from soundforge_nb.application.extension import ForgeExtension
from soundforge_nb.cluster.discovery import (
    Whereabouts,
    make_data_folder,
    only_one,
    read_whereabouts,
    write_whereabouts,
)
from soundforge_nb.cluster.gpus import own_name
from soundforge_nb.cluster.security import ensure_keys, security_of
from soundforge_nb.cluster.settings import DASK_SETTINGS
from soundforge_nb.config import SLOTS_CEILING, Config
from soundforge_nb.jobs import table

log = logging.getLogger(__name__)

IDLE_TICK_SECONDS = 1.0


class AlreadyServed(Exception):
    """Another process holds the data folder's lock."""


async def serve(
    config: Config, *, nanny: bool = True, ready: Callable[[Whereabouts], None] | None = None
) -> None:
    """Serve a data folder until asked to stop, or until nobody needs it for `linger_seconds`.

    Raises
    ------
    AlreadyServed
        Another process serves it.
    StoreError
        The library can't be opened.
    SupervisorGaveUp
        A child crashed too often.
    """
    make_data_folder(config.data_folder)
    with only_one(config.lock_file) as mine:
        if not mine:
            raise AlreadyServed
        ensure_keys(config.tls_folder)
        ending = Ending()
        with dask.config.set(DASK_SETTINGS):
            async with _cluster(config, nanny, ending) as extension:
                whereabouts = Whereabouts.of_this_process(*extension.addresses)
                write_whereabouts(config.scheduler_file, whereabouts)
                if ready is not None:
                    ready(whereabouts)
                try:
                    await _until_the_end(config, extension, ending)
                finally:
                    if read_whereabouts(config.scheduler_file) == whereabouts:
                        config.scheduler_file.unlink(missing_ok=True)


class Ending:
    """That the application should end, and how long running jobs get for it."""

    def __init__(self) -> None:
        self.wanted = asyncio.Event()
        self.drain_seconds = 0.0

    def ask(self, drain_seconds: float = 0.0) -> None:
        self.drain_seconds = max(self.drain_seconds, drain_seconds)
        self.wanted.set()


@asynccontextmanager
async def _cluster(config: Config, nanny: bool, ending: Ending) -> AsyncIterator[ForgeExtension]:
    security = security_of(config.tls_folder)
    async with contextlib.AsyncExitStack() as stack:
        scheduler = await stack.enter_async_context(
            Scheduler(
                host=config.host,
                port=0,
                protocol="tls",
                security=security,
                dashboard=False,
                dashboard_address="127.0.0.1:0",
            )
        )
        extension = ForgeExtension(config, scheduler, ending.ask)
        stack.push_async_callback(extension.end)
        worker_class = distributed.Nanny if nanny else distributed.Worker
        workers = [
            worker_class(
                scheduler.address,
                host="127.0.0.1",
                security=security,
                nthreads=SLOTS_CEILING,
                memory_limit=0,
                name=own_name(number),
                local_directory=str(config.cache_folder / "dask"),
                dashboard=False,
            )
            for number in range(config.dask_workers)
        ]
        for worker in workers:
            stack.push_async_callback(worker.close)
        # Together: a Dask worker takes as long to start as the library to open.
        await asyncio.gather(extension.begin(), *map(_started, workers))
        yield extension


async def _started(worker: Any) -> None:
    await worker


async def _until_the_end(config: Config, extension: ForgeExtension, ending: Ending) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        # Only the main thread's loop can take signals; in-process applications are stopped by call.
        with contextlib.suppress(ValueError, RuntimeError, NotImplementedError):
            loop.add_signal_handler(number, ending.ask)
    linger = asyncio.create_task(_linger(config, extension, ending))
    gave_up = asyncio.create_task(extension.application.supervisor.wait())
    asked = asyncio.create_task(ending.wanted.wait())
    await asyncio.wait([gave_up, asked], return_when=asyncio.FIRST_COMPLETED)
    linger.cancel()
    asked.cancel()
    if gave_up.done():
        gave_up.result()
    gave_up.cancel()
    await _drain(extension, ending.drain_seconds)


async def _linger(config: Config, extension: ForgeExtension, ending: Ending) -> None:
    """Ask for the end when no client and no unfinished job was there for `linger_seconds`."""
    needed = time.monotonic()
    while True:
        await asyncio.sleep(min(IDLE_TICK_SECONDS, max(0.05, config.linger_seconds / 4)))
        if extension.clients() or await _has_work(extension):
            needed = time.monotonic()
        elif time.monotonic() - needed >= config.linger_seconds:
            log.info("nobody was here for %g s: the application ends", config.linger_seconds)
            ending.ask()


async def _has_work(extension: ForgeExtension) -> bool:
    if extension.application.ledger.leases():
        return True
    return bool(await extension.application.store.read("counts", table.counts_unfinished))


async def _drain(extension: ForgeExtension, seconds: float) -> None:
    """Hand out nothing new, and let what runs end within its time."""
    extension.application.engine.draining = True
    until = time.monotonic() + seconds
    while extension.application.ledger.leases() and time.monotonic() < until:
        await asyncio.sleep(0.1)
