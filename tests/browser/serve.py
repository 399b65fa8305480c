"""Small files and Jupyter servers on this machine, for a browser."""

from __future__ import annotations

import functools
import http.server
import os
import signal
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder; gives its address."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def free_tcp_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


class Server:
    """A Jupyter program in a process group of its own, with no settings of the person's."""

    def __init__(self, command: list[str], address: str, folder: Path, environment: dict[str, str]) -> None:
        self.address = address
        self._log = (folder / "server.log").open("wb")
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env=os.environ | own_settings(folder) | environment,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def wait(self, path: str, patience_seconds: float) -> None:
        """Wait until it answers."""
        until = time.monotonic() + patience_seconds
        while True:
            try:
                with urllib.request.urlopen(self.address + path, timeout=5):
                    return
            except OSError:
                alive = self._process.poll() is None
                if not alive or time.monotonic() > until:
                    raise AssertionError(Path(self._log.name).read_text()) from None
                time.sleep(0.1)

    def end(self) -> None:
        """End it and its kernels."""
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._log.close()


def own_settings(folder: Path) -> dict[str, str]:
    """Folders for a Jupyter program that finds nothing of the person's there."""
    names = (
        "JUPYTER_CONFIG_DIR",
        "JUPYTER_DATA_DIR",
        "JUPYTER_RUNTIME_DIR",
        "IPYTHONDIR",
        "JUPYTERLAB_SETTINGS_DIR",
    )
    return {name: str(folder / "jupyter" / name.lower()) for name in names}
