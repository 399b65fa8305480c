"""The batch notebook under papermill: exit status, manifest, wrong parameters, a second run, two at once."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest
import soundfile

from soundforge_nb import cli

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "batch.ipynb"
RATE_HZ = 22_050


class Folder:
    """A data folder, and the papermill runs on it."""

    def __init__(self, root: Path) -> None:
        self.root, self.data = root, root / "data"
        self.songs = root / "songs"
        self.songs.mkdir()

    def song(self, name: str, hertz: float) -> Path:
        t = np.arange(2 * RATE_HZ) / RATE_HZ
        tone = 0.2 * np.sin(2 * np.pi * hertz * t) * np.exp(-((t * 2) % 1) * 4)
        soundfile.write(self.songs / name, np.stack([tone, tone], 1), RATE_HZ)
        return self.songs / name

    def start(self, run: str, **parameters: Any) -> subprocess.Popen[str]:
        given = {
            "inputs": str(self.songs),
            "output_folder": str(self.root / run),
            "data_folder": str(self.data),
            "analyze": "energy",
            **parameters,
        }
        command = [sys.executable, "-m", "papermill", "--no-progress-bar", "--log-level", "ERROR"]
        for name, value in given.items():
            command += ["-p", name, value]
        command += [str(NOTEBOOK), str(self.root / f"{run}.ipynb")]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(self, run: str, **parameters: Any) -> tuple[int, str]:
        process = self.start(run, **parameters)
        try:
            _, told = process.communicate(timeout=170)
        finally:
            process.kill()
        return process.returncode, told

    def manifest(self, run: str) -> dict[str, Any]:
        return json.loads((self.root / run / "manifest.json").read_text())

    def output(self, run: str) -> str:
        notebook = nbformat.read(self.root / f"{run}.ipynb", as_version=4)
        return "\n".join(
            str(output.get("text") or output.get("data", {}).get("text/plain") or output.get("evalue", ""))
            for cell in notebook.cells
            for output in cell.get("outputs", ())
        )


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    made = Folder(tmp_path)
    yield made
    assert cli.main(["stop", "--data-folder", str(made.data)]) == 0


def statuses(manifest: dict[str, Any]) -> dict[tuple[str, str], str]:
    return {(Path(entry["name"]).name, entry["step"]): entry["status"] for entry in manifest["inputs"]}


@pytest.mark.timeout(400)
def test_a_bad_file_fails_the_run_after_all_else_is_done_and_a_second_run_goes_on(folder: Folder) -> None:
    folder.song("a.wav", 220.0)
    bad = folder.songs / "b.wav"
    bad.write_text("this is no audio")

    status, told = folder.run("first")

    assert status == 1
    assert "1 of 2 inputs failed" in told
    assert "b.wav" in told
    assert "site-packages/soundforge_nb" not in told and 'soundforge_nb/forge/batch.py"' not in told
    manifest = folder.manifest("first")
    assert manifest["schema"] == 1
    assert manifest["account"] == {"total": 2, "done": 1, "failed": 1, "under_way": 0}
    assert statuses(manifest)["a.wav", "separate"] == "done"
    (error,) = manifest["errors"]
    assert Path(error["name"]).name == "b.wav" and len(error["error"]) > 20
    assert {"soundforge_nb", "python", "demucs", "torch", "librosa"} <= manifest["versions"].keys()
    (model,) = manifest["models"]
    assert model["model"] == "demo" and len(model["sha256"]) == 64
    assert len(manifest["outputs"]) == 5
    for entry in manifest["outputs"]:
        content = (folder.root / "first" / entry["path"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == entry["sha256"]
    saved = folder.output("first")
    assert "Finished: 1 of 2 tracks done" in saved
    assert len(saved.splitlines()) < 120

    bad.unlink()
    folder.song("c.wav", 330.0)
    status, told = folder.run("second")

    assert status == 0, told
    assert statuses(folder.manifest("second")) == {
        ("a.wav", "separate"): "reused",
        ("a.wav", "analyze"): "reused",
        ("c.wav", "separate"): "done",
        ("c.wav", "analyze"): "done",
    }


@pytest.mark.timeout(200)
@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"seperate": "demo"}, "This notebook has no parameter seperate. Did you mean separate?"),
        ({"separate": "no_such_model"}, "no_such_model"),
        ({"analyze": "tempi"}, "tempi"),
    ],
    ids=["name", "model", "feature"],
)
def test_a_wrong_parameter_is_one_sentence(folder: Folder, parameters: dict[str, str], sentence: str) -> None:
    folder.song("a.wav", 220.0)

    status, told = folder.run("refused", **parameters)

    assert status == 1
    assert sentence in told
    if "separate" not in parameters:
        # A model is looked for where the jobs run; all else is refused before there is a job.
        assert not (folder.root / "refused").exists()


@pytest.mark.timeout(400)
def test_two_at_once_and_one_that_was_killed(folder: Folder) -> None:
    for number in range(3):
        folder.song(f"{number}.wav", 220.0 + 40 * number)
    killed = folder.start("killed")
    # Its batch is durable from here on: the application writes the folder, whatever becomes of the run.
    _await(lambda: (folder.data / "stems").is_dir() or killed.poll() is not None)
    killed.kill()
    killed.communicate()

    runs = {name: folder.start(name) for name in ("left", "right")}
    for name, process in runs.items():
        _, told = process.communicate(timeout=170)
        assert process.returncode == 0, f"{name}: {told}"

    for name in runs:
        manifest = folder.manifest(name)
        assert manifest["account"] == {"total": 3, "done": 3, "failed": 0, "under_way": 0}
        assert len(manifest["outputs"]) == 15
    checksums = [
        sorted(entry["sha256"] for entry in folder.manifest(name)["outputs"] if entry["what"] != "analysis")
        for name in runs
    ]
    assert checksums[0] == checksums[1]
    with_one_key = json.loads(
        subprocess.run(
            [sys.executable, "-m", "soundforge_nb.cli", "sql", "--json", "--data-folder", str(folder.data),
             "SELECT count(*) AS n, count(DISTINCT (track_id, stem)) AS of_one FROM stems"],
            capture_output=True, text=True, check=True,
        ).stdout
    )  # fmt: skip
    assert with_one_key == [{"n": 12, "of_one": 12}], "a song was separated twice"


def _await(happened: Callable[[], bool], timeout_seconds: float = 120) -> None:
    until = time.monotonic() + timeout_seconds
    while not happened():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_the_committed_notebook_is_clean() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    assert not [cell for cell in notebook.cells if cell.get("outputs") or cell.get("execution_count")]
