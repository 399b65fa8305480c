"""The whole application within this process, for tests and debugging: no background process, no nanny."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future

from soundforge_nb.application.serve import AlreadyServed, serve
from soundforge_nb.cluster.connection import Connection
from soundforge_nb.cluster.discovery import Whereabouts
from soundforge_nb.cluster.security import security_of
from soundforge_nb.config import Config
from soundforge_nb.errors import StartFailed
from soundforge_nb.forge.forge import Forge


class InProcessForge(Forge):
    """A Forge whose application ends with it."""

    def __init__(self, config: Config, connection: Connection, thread: threading.Thread) -> None:
        super().__init__(config, connection)
        self._thread = thread

    def close(self) -> None:
        if self._thread.is_alive():
            self.call("stop")
        super().close()
        self._thread.join()


def connect_in_process(config: Config) -> Forge:
    """Serve `config`'s data folder in a thread of this process and attach to it.

    Raises
    ------
    StartFailed
        Another process serves it, or the start failed.
    """
    ready: Future[Whereabouts] = Future()

    def live() -> None:
        try:
            asyncio.run(serve(config, nanny=False, ready=ready.set_result))
        except BaseException as error:
            if not ready.done():
                ready.set_exception(error)

    thread = threading.Thread(target=live, name="soundforge-application", daemon=True)
    thread.start()
    try:
        whereabouts = ready.result(config.start_timeout_seconds)
    except AlreadyServed:
        raise StartFailed(
            f"Another process serves {config.data_folder}.", "Connect without in_process, or stop it."
        ) from None
    connection = Connection(
        whereabouts.address, security_of(config.tls_folder), timeout_seconds=config.rpc_timeout_seconds
    )
    return InProcessForge(config, connection, thread)
