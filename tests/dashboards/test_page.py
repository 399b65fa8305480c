"""`soundforge dashboard`: what it says where it can't serve, and the files that it serves."""

from __future__ import annotations

import json
import re
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from soundforge_nb import cli
from soundforge_nb.forge import dashboard_page

PACKAGE = Path(dashboard_page.__file__).parents[1]


def test_without_voila_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "voila.app", None)
    assert cli.main(["dashboard", "--data-folder", str(tmp_path)]) == cli.WRONG_USAGE
    told = capsys.readouterr().err
    assert "served by Voilà, which is not installed" in told
    assert "-m pip install 'soundforge_nb[dashboard]'" in told
    assert list(tmp_path.iterdir()) == [], "an application was started for nobody"


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def test_a_port_that_is_taken_is_a_sentence(
    taken_port: int, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    command = ["dashboard", "--data-folder", str(tmp_path), "--port", str(taken_port)]
    assert cli.main(command) == cli.WRONG_USAGE
    assert f"The TCP port {taken_port} can't be used." in capsys.readouterr().err


def test_where_the_usual_port_is_taken_another_is_chosen(
    taken_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dashboard_page, "USUAL_TCP_PORT", taken_port)
    assert dashboard_page._free_tcp_port(None) not in (0, taken_port)


def test_the_template_names_no_other_machine() -> None:
    files = list((PACKAGE / "dashboards" / "page").rglob("*"))
    told = "\n".join(file.read_text() for file in files if file.is_file())
    assert "notebook_css" in told
    assert re.findall(r"https?:|//cdn", told) == []


def test_kernels_of_pages_that_are_gone_end() -> None:
    settings = json.loads((dashboard_page.page_folder() / "voila.json").read_text())
    assert settings["VoilaConfiguration"] == {"template": "soundforge", "progressive_rendering": True}
    culling = settings["MappingKernelManager"]
    assert 0 < culling["cull_idle_timeout"] <= 300
    assert culling["cull_connected"] is False, "a page behind another tab would lose its kernel"
