"""The formats are tried in earnest: what does not give the tone back does not work."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile

from soundforge_nb.audio import codecs
from soundforge_nb.audio.codecs import CODECS, tone, try_codecs
from soundforge_nb.audio.model_inventory import list_models


def test_all_of_them_work_here():
    tried = try_codecs()

    assert [entry["codec"] for entry in tried] == ["WAV", "FLAC", "MP3", "OGG", "Opus", "M4A/AAC"]
    assert [entry["error"] for entry in tried] == [None] * len(CODECS)


def test_a_codec_that_is_not_built_in(monkeypatch):
    real = soundfile.write

    def write(file, samples, rate, *, format, subtype):
        if format == "MP3":
            raise soundfile.LibsndfileError(3)
        real(file, samples, rate, format=format, subtype=subtype)

    monkeypatch.setattr(soundfile, "write", write)

    errors = {entry["codec"]: entry["error"] for entry in try_codecs()}

    assert errors["MP3"].startswith("encoding: ")
    assert [name for name, error in errors.items() if error] == ["MP3"]


@pytest.mark.parametrize(
    ("samples", "fault"),
    [
        (tone() * 0.1, "a tone of 1000 Hz came back"),
        (np.zeros_like(tone()), "a tone of 1000 Hz came back"),
        (tone()[:100], "s came back"),
        (tone()[:, :1], "shape"),
    ],
)
def test_wrong_sound_is_no_success(monkeypatch, samples, fault):
    monkeypatch.setattr(codecs, "_sndfile_decoded", lambda given: samples)

    assert fault in try_codecs()[0]["error"]


def test_the_encoded_clip_is_a_file_of_its_format():
    encoded = codecs._sndfile_encoded(CODECS[1])

    assert soundfile.info(io.BytesIO(encoded)).format == "FLAC"


def test_models_are_listed_without_a_download(tmp_path, monkeypatch):
    for name in ("TORCH_HOME", "HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))

    models = {model["name"]: model for model in list_models()}

    assert models["demo"]["here"]
    assert models["htdemucs"] | {"licence": "", "trained_on": ""} == {
        "name": "htdemucs",
        "here": False,
        "missing": ["955717e8"],
        "stems": ["drums", "bass", "other", "vocals"],
        "licence": "",
        "trained_on": "",
        "error": None,
    }
    assert len(models["htdemucs_ft"]["missing"]) == 4
    assert list(tmp_path.iterdir()) == []


def test_weights_in_the_cache_or_in_a_folder_count(tmp_path, monkeypatch):
    for name in ("TORCH_HOME", "HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "955717e8.safetensors").write_bytes(b"")

    models = {model["name"]: model for model in list_models(str(folder))}

    assert models["htdemucs"]["here"]
    assert not models["htdemucs_6s"]["here"]
