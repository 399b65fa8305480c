"""What a child's environment holds, and what it must not."""

from __future__ import annotations

import pytest

from soundforge_nb import config
from soundforge_nb.ports.environment import child_environment, clean


@pytest.mark.parametrize(
    "name",
    [
        *("SPOTIPY_CLIENT_ID", "SPOTIPY_CLIENT_SECRET", "HF_TOKEN", "GITHUB_TOKEN", "DB_PASSWORD"),
        *("AWS_ACCESS_KEY_ID", "aws_secret_access_key", "OPENAI_API_KEY", "JPY_API_TOKEN", "SSH_AUTH_SOCK"),
        *("VOILA_REQUEST_URL", "GOOGLE_APPLICATION_CREDENTIALS", "DASK_DISTRIBUTED__COMM__TLS__KEY"),
        *("PYTHONINSPECT", "PYTHONSTARTUP"),
    ],
)
def test_secrets_and_traps_stay_out(name):
    assert name not in clean({name: "x"})


@pytest.mark.parametrize(
    "name",
    ["PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "HTTPS_PROXY", "KEYMAP"],
)
def test_what_a_program_needs_stays(name):
    assert clean({name: "x"})[name] == "x"


def test_caches_and_threads_are_set(tmp_path):
    settings = config.load(tmp_path / "data", environment={})
    made = child_environment(settings, 3, {"HOME": str(tmp_path), "OMP_NUM_THREADS": "64"})
    cache = str(settings.cache_folder)
    assert made["OMP_NUM_THREADS"] == made["NUMBA_NUM_THREADS"] == "3"
    assert made["NUMBA_CACHE_DIR"] == f"{cache}/numba"
    assert made["TORCH_HOME"] == f"{cache}/torch"
    assert made["HF_HOME"] == f"{cache}/huggingface"
    assert made["PYTHONUNBUFFERED"] == "1"


def test_downloads_go_into_the_cache_unless_the_person_said_where(tmp_path):
    settings = config.load(tmp_path / "data", environment={})
    (tmp_path / ".cache" / "torch" / "hub").mkdir(parents=True)
    made = child_environment(settings, 1, {"HOME": str(tmp_path), "HF_HOME": "/mine"})
    assert made["TORCH_HOME"] == f"{settings.cache_folder}/torch"
    assert made["HF_HOME"] == "/mine"
