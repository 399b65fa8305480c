"""Small notebooks that do the real thing: a song made by code, a file that is no song, one batch."""

from __future__ import annotations

from pathlib import Path

import nbformat
import numpy as np
import soundfile

from tests.browser.scenes import EVIL

_CONNECT = """\
import soundforge_nb as sf
forge = sf.connect(data_folder={data_folder!r}, start=False)
batch = forge.process(forge.add({songs!r}), analyze="energy")"""


def write_songs(folder: Path, seed: int, count: int = 2) -> None:
    """Songs of six seconds that nobody has analyzed yet, and a file whose name and content are a trap."""
    folder.mkdir(parents=True)
    random = np.random.default_rng(seed)
    times = np.arange(6 * 22050) / 22050
    for number in range(count):
        tone = 0.2 * np.sin(2 * np.pi * (220 + 55 * number) * times) + random.normal(0, 0.02, times.size)
        soundfile.write(folder / f"song {number + 1}.wav", tone.astype("float32"), 22050)
    (folder / f"{EVIL}.wav").write_text("This is no song.")


def write_notebook(file: Path, data_folder: Path, songs: Path, *more: str) -> None:
    """Write a notebook that processes `songs`, with further cells after the batch is made."""
    notebook = nbformat.v4.new_notebook()
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    first = _CONNECT.format(data_folder=str(data_folder), songs=str(songs))
    notebook.cells = [nbformat.v4.new_code_cell(source) for source in (first, *more)]
    nbformat.write(notebook, file)
