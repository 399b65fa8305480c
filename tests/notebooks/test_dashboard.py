"""The dashboard's notebook under papermill and nbconvert: a picture of the moment that stands alone."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

from soundforge_nb import cli

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "dashboard.ipynb"


def papermill(output: Path, **parameters: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "papermill", "--no-progress-bar", "--log-level", "ERROR"]
    for name, value in parameters.items():
        command += ["-p", name, value]
    return subprocess.run([*command, str(NOTEBOOK), str(output)], capture_output=True, text=True, timeout=170)


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dashboard")
    finished = papermill(folder / "run.ipynb", data_folder=str(folder / "data"))
    assert cli.main(["stop", "--data-folder", str(folder / "data")]) == 0
    assert finished.returncode == 0, finished.stderr[-3000:]
    return folder / "run.ipynb"


def outputs(notebook: Any) -> list[Any]:
    return [output for cell in notebook.cells for output in cell.get("outputs", ())]


def test_it_stands_alone(executed: Path) -> None:
    notebook = nbformat.read(executed, as_version=4)
    (shown,) = outputs(notebook)
    assert set(shown["data"]) == {"text/plain", "text/html"}
    assert "processing: 0 of 2 running, 0 waiting" in shown["data"]["text/plain"]
    assert shown["data"]["text/html"].count("<svg") >= 3
    assert "forge.process(forge.add(" in shown["data"]["text/plain"], "it does not say what to do next"
    assert "widgets" not in notebook.metadata


def test_as_a_page_it_asks_nobody(executed: Path) -> None:
    command = [sys.executable, "-m", "nbconvert", "--to", "html", "--no-input", str(executed)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    page = executed.with_suffix(".html").read_text()
    body = page[page.index("<body") :]
    assert "0 of 2" in body
    assert re.findall(r"<(?:script|link|img)[^>]+(?:src|href)=.?https?:", body) == []


def test_a_misspelt_parameter_is_refused(tmp_path: Path) -> None:
    finished = papermill(tmp_path / "run.ipynb", data_folder=str(tmp_path / "data"), readonly="true")
    assert finished.returncode != 0
    assert "no parameter readonly. Did you mean read_only?" in finished.stderr
    assert not (tmp_path / "data").exists()


def test_the_committed_notebook_is_clean() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    assert outputs(notebook) == []
    assert all(cell.get("execution_count") is None for cell in notebook.cells)
    assert json.loads(NOTEBOOK.read_text())["metadata"]["title"] == "soundforge"
