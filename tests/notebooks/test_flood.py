"""Twenty thousand updates of progress under papermill: it passes, and what it saves is small and complete."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbconvert import HTMLExporter

from soundforge_nb import cli
from soundforge_nb.dashboards.batch_summary import LINE_SECONDS, ProgressPrinter
from tests.dashboards.conftest import finished_batch, job, running_batch

JOBS, UPDATES = 4, 5_000
CELLS = (
    "import soundforge_nb as sf\n"
    "forge = sf.connect(data_folder='data', kinds='flood:Flood')\n"
    "forge.dashboard()",
    f"jobs = forge.insert('flood', [{{'updates': {UPDATES}}}] * {JOBS})\nforge.wait(jobs)",
    "forge.dashboard()",
    "forge.metrics()",
)


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("flood")
    shutil.copy(Path(__file__).with_name("flood.py"), folder)
    notebook = nbformat.v4.new_notebook()
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook.cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
    nbformat.write(notebook, folder / "flood.ipynb")
    command = [sys.executable, "-m", "papermill", "--no-progress-bar", "--log-level", "ERROR"]
    finished = subprocess.run(
        [*command, "flood.ipynb", "run.ipynb"], cwd=folder, capture_output=True, text=True, timeout=170
    )
    assert cli.main(["stop", "--data-folder", str(folder / "data")]) == 0
    assert finished.returncode == 0, finished.stderr[-3000:]
    yield folder / "run.ipynb"


def outputs(file: Path) -> list[Any]:
    notebook = nbformat.read(file, as_version=4)
    return [output for cell in notebook.cells for output in cell.get("outputs", ())]


def test_it_is_small_and_says_what_became_of_it(executed: Path) -> None:
    assert executed.stat().st_size < 2_000_000
    first, waited, last, metrics = outputs(executed)
    assert "No job was inserted yet" in first["data"]["text/plain"]
    assert waited["data"]["text/plain"] == "True"
    assert last["data"]["text/plain"].startswith(f"0 running, 0 waiting, {JOBS} completed")
    # Measured every ten seconds, so perhaps not yet.
    assert re.match(
        "Metrics, each with its last value|Nothing was measured yet", metrics["data"]["text/plain"]
    )


def test_as_a_page_it_stands_alone(executed: Path) -> None:
    html, _ = HTMLExporter(template_name="lab", exclude_input=True).from_filename(str(executed))
    body = html[html.index("<body") :]
    assert f"{JOBS} completed" in body
    assert body.count("<svg") >= 6
    assert re.findall(r"<(?:script|link|img|iframe)[^>]+(?:src|href)=.?(?:https?:)?//", body) == []


def test_lines_of_progress_do_not_grow_with_its_updates() -> None:
    stream, now = io.StringIO(), iter(range(10**9))
    # A thousand updates a second.
    printer = ProgressPrinter(stream, lambda: next(now) / 1000)
    for number in range(20_000):
        printer.show(
            running_batch(percent=number // 300, running=[job("a", number // 300, f"update {number}")])
        )
    printer.show(finished_batch())
    lines = stream.getvalue().splitlines()
    assert len(lines) <= 20 / LINE_SECONDS + 3
    assert lines[-1].startswith("Finished: 3 of 4 tracks done")
