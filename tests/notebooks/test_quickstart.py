"""The quickstart notebook, executed as a stranger would, on real audio."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "quickstart.ipynb"


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """The notebook after papermill ran it, on a data folder of its own."""
    folder = tmp_path_factory.mktemp("quickstart")
    output = folder / "executed.ipynb"
    command = [sys.executable, "-m", "papermill", "--no-progress-bar", str(NOTEBOOK), str(output)]
    command += ["-p", "data_folder", str(folder / "data"), "-p", "output_folder", str(folder / "out")]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=400)
    from soundforge_nb import cli

    assert cli.main(["stop", "--data-folder", str(folder / "data")]) == 0
    assert finished.returncode == 0, finished.stderr[-3000:]
    return nbformat.read(output, as_version=4), folder


def outputs(notebook):
    return [output for cell in notebook.cells for output in cell.get("outputs", ())]


@pytest.mark.timeout(450)
def test_it_says_nothing_but_its_results(executed):
    notebook, _ = executed

    assert not [output for output in outputs(notebook) if output.output_type == "error"]
    noise = [output.text for output in outputs(notebook) if output.get("name") == "stderr"]
    assert noise == []


def test_it_stands_alone_in_the_saved_notebook(executed):
    notebook, _ = executed
    pictures = [output for output in outputs(notebook) if "image/png" in output.get("data", {})]
    text = str([output.get("data", {}).get("text/html", "") for output in outputs(notebook)])

    assert len(pictures) == 1
    assert "Over the Hill" in text
    assert "D major" in text
    assert "widget-view" not in str(notebook)
    assert "widgets" not in notebook.metadata


def test_progress_came_as_plain_lines(executed):
    notebook, _ = executed
    lines = "".join(
        output.text for output in outputs(notebook) if output.get("name") == "stdout"
    ).splitlines()

    assert lines[-1] == "Finished: 1 of 1 track done"
    assert 3 <= len(lines) <= 60


def test_the_output_folder_is_there(executed):
    _, folder = executed

    assert (folder / "out" / "manifest.json").exists()
    assert {file.name for file in (folder / "out" / "Over the Hill").iterdir()} == {
        "analysis.json", "bass.wav", "drums.wav", "other.wav", "vocals.wav",
    }  # fmt: skip


def test_the_committed_notebook_is_clean():
    notebook = nbformat.read(NOTEBOOK, as_version=4)

    nbformat.validate(notebook)
    assert outputs(notebook) == []
    assert all(cell.get("execution_count") is None for cell in notebook.cells)
