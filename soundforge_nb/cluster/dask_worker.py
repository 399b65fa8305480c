"""One more Dask worker for an application, on this host or another one: `soundforge worker`.

All hosts share the data folder: keys, library and stems lie there. A Dask worker that loses its application
looks for it again, for as long as it runs itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
from collections.abc import Callable
from typing import Any

import dask
import distributed
from distributed.comm.addressing import parse_host_port
from distributed.utils import get_ip

from soundforge_nb.cluster.discovery import read_whereabouts
from soundforge_nb.cluster.security import security_of
from soundforge_nb.cluster.settings import DASK_SETTINGS
from soundforge_nb.config import SLOTS_CEILING, Config
from soundforge_nb.errors import NoApplication

log = logging.getLogger(__name__)

_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 10.0


def application_address(config: Config, address: str | None) -> str:
    """Where the application of the data folder listens; on whichever host it runs.

    Raises
    ------
    NoApplication
        The data folder names none.
    """
    if address is not None:
        return address
    found = read_whereabouts(config.scheduler_file)
    if found is None:
        raise NoApplication(
            f"Nobody serves {config.data_folder}.", "Run soundforge serve on its host, or give --address."
        )
    return found.address


async def live(
    config: Config,
    address: str | None,
    *,
    name: str | None = None,
    ready: Callable[[str], None] = lambda address: None,
) -> None:
    """Offer slots to the application until SIGTERM or SIGINT; after a loss, come back to it.

    Parameters
    ----------
    config : Config
    address : str, optional
        Instead of the one in the data folder's scheduler file.
    name : str, optional
        How Dask knows it; by default the host's name and this process' number.
    ready : callable
        Told the scheduler's address each time it is attached.
    """
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    pause = _FIRST_PAUSE_SECONDS
    named = name or f"{socket.gethostname()}-{os.getpid()}"
    with dask.config.set(DASK_SETTINGS):
        while not ended.is_set():
            try:
                where = application_address(config, address)
                async with _nanny(config, where, named) as nanny:
                    ready(where)
                    pause = _FIRST_PAUSE_SECONDS
                    await _until_over(nanny, ended)
            except (OSError, TimeoutError, NoApplication, RuntimeError) as error:
                log.warning("no application to work for: %s", error)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await ended.wait()
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)


def _nanny(config: Config, address: str, name: str) -> Any:
    return distributed.Nanny(
        address,
        # Only where the application can be: with loopback nobody else sees it.
        host=get_ip(host=parse_host_port(address.partition("://")[2])[0]),
        security=security_of(config.tls_folder),
        nthreads=SLOTS_CEILING,
        memory_limit=0,
        name=name,
        # Each host its own: what Dask keeps there is locked by process.
        local_directory=str(config.cache_folder / "dask" / socket.gethostname()),
        dashboard=False,
        # A Dask worker that was cut off ends; a new one comes when there is a way again.
        reconnect=False,
    )


async def _until_over(nanny: Any, ended: asyncio.Event) -> None:
    finished = asyncio.ensure_future(nanny.finished())
    asked = asyncio.ensure_future(ended.wait())
    try:
        await asyncio.wait([finished, asked], return_when=asyncio.FIRST_COMPLETED)
    finally:
        finished.cancel()
        asked.cancel()
