"""Signing in at Spotify in a real kernel, with a Spotify of our own on loopback and a person who clicks."""

from __future__ import annotations

import html
import os
import re
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

sys.path.insert(0, str(Path(__file__).parents[1] / "spotify"))

from spotify_server import CLIENT_ID, CLIENT_SECRET, SpotifyServer, spotify_server

SECONDS = 60
CELL = """
import soundforge_nb as sf
forge = sf.connect(data_folder={folder!r}, spotify_client_id={client!r}, spotify_client_secret={secret!r},
    spotify_api_url={url!r}, spotify_accounts_url={url!r}, spotify_redirect_port=18_897)
forge.sign_in_to_spotify(headless={headless})
"""


@pytest.fixture
def spotify() -> Iterator[SpotifyServer]:
    with spotify_server() as server:
        yield server


@pytest.fixture
def kernel() -> Iterator[BlockingKernelClient]:
    """A kernel as a Jupyter server starts it."""
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(env=os.environ | {"JPY_SESSION_NAME": "a notebook.ipynb"})
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=SECONDS)
        yield client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def message(kernel: BlockingKernelClient, kind: str) -> dict[str, Any]:
    """The next message of a kind that the kernel publishes."""
    while True:
        found: dict[str, Any] = kernel.get_iopub_msg(timeout=SECONDS)
        if found["msg_type"] == "error":
            pytest.fail("\n".join(found["content"]["traceback"]))
        if found["msg_type"] == kind:
            return found["content"]


def address_behind(shown: dict[str, Any]) -> str:
    found = re.search(r"href='([^']+)' target='_blank'.* role='button'", shown["data"]["text/html"])
    assert found is not None
    return html.unescape(found[1])


@pytest.mark.timeout(150)
@pytest.mark.parametrize("headless", [False, True], ids=["button", "pasted"])
def test_a_button_signs_in_and_leaves_no_trace_in_the_notebook(
    kernel: BlockingKernelClient, spotify: SpotifyServer, tmp_path: Path, headless: bool
) -> None:
    folder = tmp_path / "data"
    told = {"folder": str(folder), "client": CLIENT_ID, "secret": CLIENT_SECRET, "url": spotify.url}
    try:
        kernel.execute(CELL.format(**told, headless=headless), allow_stdin=True)
        shown = message(kernel, "display_data")
        came_back_to = spotify.agree(address_behind(shown))
        if headless:
            kernel.get_stdin_msg(timeout=SECONDS)
            kernel.input(came_back_to)
        else:
            assert b"You can close this page" in urllib.request.urlopen(came_back_to, timeout=SECONDS).read()
        changed = message(kernel, "update_display_data")
        # What a notebook saves in its place.
        assert changed["transient"] == shown["transient"]
        assert spotify.url not in str(changed["data"])
        assert "Signed in" in message(kernel, "stream")["text"]
        assert (folder / "spotify" / "tokens.json").stat().st_mode & 0o777 == 0o600
        with pytest.raises(Empty):
            while kernel.get_iopub_msg(timeout=1):
                pass
    finally:
        from soundforge_nb import cli

        assert cli.main(["stop", "--data-folder", str(folder)]) == 0
