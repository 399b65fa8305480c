"""The stems of a full-size htdemucs are those that ``python -m demucs`` writes."""

import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import soundfile
from tiny_models import FULL_SIZE, SOURCES, save_pickle

from soundforge_nb.audio.separation import separate
from soundforge_nb.audio.separation_options import SeparationOptions


def test_a_full_size_model_gives_the_files_of_the_demucs_program(tmp_path: Path) -> None:
    # The published network, 41 million parameters, its weights random; the segments are shorter than the
    # published 7.8 seconds, so that a short song has several.
    save_pickle(tmp_path, "full", **FULL_SIZE | {"segment": Fraction(2)}, **_NOT_TINY)
    rng = np.random.default_rng(0)
    t = np.arange(int(3.2 * 44_100)) / 44_100
    y = np.stack([0.2 * np.sin(2 * np.pi * hz * t) for hz in (220, 330)], axis=1)
    song = tmp_path / "song.wav"
    soundfile.write(song, y + 0.05 * rng.standard_normal(y.shape), 44_100, subtype="PCM_24")

    options = ["-n", "full", "--float32", "--clip-mode", "none", "--shifts", "0", "-d", "cpu"]
    command = [sys.executable, "-m", "demucs", *options, "--repo", tmp_path, "-o", tmp_path / "demucs", song]
    # One thread: with more, busy cores make it many times slower.
    environment = {"OMP_NUM_THREADS": "1", "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    subprocess.run(command, check=True, capture_output=True, env=environment)
    request = {"model": "full", "model_folder": str(tmp_path), "shifts": 0, "device": "cpu"}
    result = separate(str(song), str(tmp_path / "ours"), SeparationOptions.from_json(request))

    assert result["model"]["parameters"] > 41_000_000
    for source in SOURCES:
        theirs, _ = soundfile.read(tmp_path / "demucs" / "full" / "song" / f"{source}.wav")
        ours, _ = soundfile.read(tmp_path / "ours" / f"{source}.wav")
        assert np.abs(theirs).max() < 1, "Demucs clamps beyond full scale"
        assert 10 * np.log10(np.sum(theirs**2) / np.sum((theirs - ours) ** 2)) > 60


#: Back to the constructor's own defaults.
_NOT_TINY = {"channels": 48, "growth": 2, "nfft": 4096, "depth": 4, "t_heads": 8, "dconv_depth": 2}
