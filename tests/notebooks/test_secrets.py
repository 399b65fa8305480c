"""A notebook that was run with live views and saved with their state holds nothing that is secret."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

import soundforge_nb as sf
from soundforge_nb import cli

sys.path.insert(0, str(Path(__file__).parents[1] / "spotify"))
sys.path.insert(0, str(Path(__file__).parents[1] / "programs"))

from spotify_server import CLIENT_ID, CLIENT_SECRET, SpotifyServer, spotify_id, spotify_server, track
from web import Web, file_answer, web_server

PLAYLIST = "5" * 22
CELLS = [
    """
import os, sys
from pathlib import Path
import soundforge_nb as sf
forge = sf.connect(data_folder=os.environ["TEST_FOLDER"])
forge
""",
    "tracks = forge.add(Path(os.environ['TEST_LINKS']).read_text().split())\ntracks",
    "batch = forge.process(tracks, analyze=['energy'])\nbatch",
    "batch.wait(90)\nbatch.errors()",
    "batch",
    "forge.dashboard()",
    "forge.metrics()",
    "forge.config",
    "forge.status()",
    "forge.jobs()",
    "[forge.job(str(job_id)) for job_id in forge.jobs()['job_id']]",
    "forge.tracks()",
    "tracks.rejected",
    "forge.sql('FROM links').df()",
    # A mistake of a person's, with what is secret among its arguments.
    "forge.process(Path(os.environ['TEST_LINKS']).read_text().split(), analyze=['no such feature'])",
    "secret = os.environ['SPOTIPY_CLIENT_SECRET']\n"
    "sf.connect(spotify_client_secret=secret, private_addresses='sometimes')",
]


@pytest.fixture
def spotify() -> Iterator[SpotifyServer]:
    with spotify_server() as server:
        yield server


@pytest.fixture
def web() -> Iterator[Web]:
    with web_server() as server:
        yield server


@pytest.mark.timeout(240)
def test_no_secret_is_in_a_notebook_or_in_the_state_of_its_views(
    spotify: SpotifyServer, web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    folder, links = tmp_path / "data", tmp_path / "links"
    spotify.playlists[PLAYLIST] = [track(number) for number in range(3)]
    spotify.tracks[spotify_id(9)] = track(9)
    links.write_text(
        "\n".join(
            [
                web.serve("/words.wav", file_answer(b"no music\n" * 100)) + "?key=Pl4ntedKey",
                "https://ann:Pl4ntedWord@host.invalid/a.wav",
                f"https://open.spotify.com/playlist/{PLAYLIST}?si=Pl4ntedShare",
                f"spotify:track:{spotify_id(9)}",
            ]
        )
    )
    folder.mkdir()
    (folder / "soundforge.toml").write_text(
        f'spotify_client_id = "{CLIENT_ID}"\nspotify_client_secret = "{CLIENT_SECRET}"\n'
        f'spotify_api_url = "{spotify.url}"\nspotify_accounts_url = "{spotify.url}"\n'
        'private_addresses = "allowed"\n'
    )
    try:
        with sf.connect(data_folder=folder) as forge:
            monkeypatch.setattr(
                "builtins.input", lambda prompt: spotify.agree(capsys.readouterr().err.split("\n")[-2])
            )
            forge.sign_in_to_spotify(headless=True)
        monkeypatch.setenv("JPY_SESSION_NAME", "a notebook.ipynb")
        monkeypatch.setenv("TEST_FOLDER", str(folder))
        monkeypatch.setenv("TEST_LINKS", str(links))
        monkeypatch.setenv("SPOTIPY_CLIENT_SECRET", CLIENT_SECRET)
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
        client = NotebookClient(
            notebook, timeout=150, kernel_name="python3", allow_errors=True, store_widget_state=True
        )
        client.execute()
    finally:
        assert cli.main(["stop", "--data-folder", str(folder)]) == 0
    errors = [
        output["ename"] for cell in notebook.cells for output in cell.outputs if output.output_type == "error"
    ]
    assert errors == ["UsageError", "ConfigError"]
    saved = json.dumps(notebook, ensure_ascii=False)
    # What was meant to be shown is there, and the views' state is too.
    for there in ("words.wav?…", "Song 2", "dashboard", "read_spotify", "key"):
        assert there in saved
    states = notebook.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"]
    assert len(states) >= 3
    assert "Pl4nted" not in saved
