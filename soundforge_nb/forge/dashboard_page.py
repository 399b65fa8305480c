"""`soundforge dashboard`: the dashboard as a page in a browser, served by Voilà until it is stopped.

The page is the notebook ``dashboard.ipynb``; each visitor gets a kernel of their own, all on one
application. Voilà runs in this process, so signals reach it and nobody is left behind.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from soundforge_nb.cluster.launch import find_or_start
from soundforge_nb.config import Config
from soundforge_nb.errors import SoundforgeError, UsageError
from soundforge_nb.forge.views import READ_ONLY_VARIABLE

NOTEBOOK = "dashboard.ipynb"
#: Voilà's own, and where it is taken any free one.
USUAL_TCP_PORT = 8866
_HOST = "127.0.0.1"
_PACKAGE = Path(__file__).parents[1]
#: Beside our template, which asks no CDN for icons, as a folder of Jupyter's.
_JUPYTER_FOLDER = _PACKAGE / "dashboards" / "page"


def page_folder() -> Path:
    """Where the notebook and its ``voila.json`` lie: in the wheel, else in the sources.

    Raises
    ------
    SoundforgeError
        It is in neither.
    """
    for folder in (_JUPYTER_FOLDER, _PACKAGE.parent / "notebooks"):
        if (folder / NOTEBOOK).is_file():
            return folder
    raise SoundforgeError(
        f"The notebook {NOTEBOOK} is not installed.", "Install soundforge_nb again.", kind="asset"
    )


def serve_page(
    config: Config,
    *,
    read_only: bool,
    theme: str,
    tcp_port: int | None,
    ready: Callable[[str], None],
) -> None:
    """Serve the page of a data folder until SIGINT or SIGTERM; `ready` is told its address.

    The address holds a token: other people of this machine can't open the page.

    Raises
    ------
    UsageError
        Voilà is not installed, or the TCP port is taken.
    ConnectError
        The application can't be started.
    """
    voila = _voila()
    folder = page_folder()
    chosen = _free_tcp_port(tcp_port)
    # Before a visitor comes: what hinders the application is said here, in a sentence.
    find_or_start(config)
    token = secrets.token_urlsafe(24)
    os.environ |= _environment(config, token, read_only=read_only)
    address = f"http://{_HOST}:{chosen}/?token={token}"

    class Page(voila):  # type: ignore[valid-type, misc]
        """Voilà, that says our address once it listens."""

        def launch_browser(self) -> None:
            ready(address)

    # Two of Voilà's libraries disagree about the unit of a ping, and say so at every visitor.
    logging.getLogger("tornado.general").setLevel(logging.ERROR)
    page = Page(
        config_file_paths=[str(folder), *Page().config_file_paths[1:]],
        ip=_HOST,
        port=chosen,
        port_retries=0,
        auto_token=True,
        open_browser=True,
    )
    page.initialize([str(folder / NOTEBOOK), f"--theme={theme}", "--Voila.log_level=ERROR"])
    page.start()


def open_in_browser(address: str) -> None:
    """Open the page where there is a browser; a thread of its own, as some of them keep their caller."""
    threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()


def _voila() -> Any:
    try:
        from voila.app import Voila
    except ImportError as error:
        raise UsageError(
            "The dashboard's page is served by Voilà, which is not installed.",
            f"Install it: {sys.executable} -m pip install 'soundforge_nb[dashboard]'. "
            "In a notebook forge.dashboard() needs no Voilà.",
        ) from error
    return Voila


def _environment(config: Config, token: str, *, read_only: bool) -> dict[str, str]:
    """What the kernels of the visitors, and Voilà itself, read."""
    inherited = os.environ.get("JUPYTER_PATH")
    given = {
        "JUPYTER_PATH": os.pathsep.join(filter(None, (str(_JUPYTER_FOLDER), inherited))),
        # Not an argument: those everybody on this machine can read.
        "JUPYTER_TOKEN": token,
        "SOUNDFORGE_DATA_FOLDER": str(config.data_folder),
    }
    return given | ({READ_ONLY_VARIABLE: "1"} if read_only else {})


def _free_tcp_port(wanted: int | None) -> int:
    for port in (USUAL_TCP_PORT, 0) if wanted is None else (wanted,):
        with socket.socket() as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                tried.bind((_HOST, port))
            except (OSError, OverflowError):
                continue
            free: int = tried.getsockname()[1]
            return free
    raise UsageError(f"The TCP port {wanted} can't be used.", "It may be taken: choose another with --port.")
