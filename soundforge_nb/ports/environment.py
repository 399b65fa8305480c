"""The environment a child gets: this process' own, without what is none of its business."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from soundforge_nb.config import Config

#: Audio is decoded from files of strangers: a child must not hold keys to anything.
_SECRET = re.compile(
    r"^(SPOTIPY|SPOTIFY|AWS|AZURE|GOOGLE|JPY|JUPYTERHUB|VOILA|DASK)_|^SSH_AUTH_SOCK$"
    r"|(TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?|COOKIE|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY)(_|$)",
    re.IGNORECASE,
)
#: Set for the notebook's own Python; in a child they would open a prompt, a window or a flood.
_UNWANTED = {"PYTHONINSPECT", "PYTHONSTARTUP", "PYTHONPROFILEIMPORTTIME", "PYTHONVERBOSE", "MPLBACKEND"}
_FIXED = {
    "MPLBACKEND": "Agg",
    "PYTHONUNBUFFERED": "1",
    # A crash in native code leaves its trace in the log.
    "PYTHONFAULTHANDLER": "1",
    # Names of files survive a bare locale.
    "PYTHONUTF8": "1",
    # `python -m` would look for modules in the working folder first: a song folder's random.py wins.
    "PYTHONSAFEPATH": "1",
}
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


def clean(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """A copy of `environment` (default: `os.environ`) without secrets, fit for a child.

    >>> sorted(clean({"HOME": "/home/a", "SPOTIPY_CLIENT_ID": "x", "HF_TOKEN": "x"}).keys() - _FIXED.keys())
    ['HOME']
    """
    source = os.environ if environment is None else environment
    kept = {
        name: value for name, value in source.items() if name not in _UNWANTED and not _SECRET.search(name)
    }
    return kept | _FIXED


def child_environment(
    config: Config, threads: int, environment: Mapping[str, str] | None = None, gpu: str | None = None
) -> dict[str, str]:
    """What a program of ours runs in.

    Parameters
    ----------
    config : Config
        Caches go into its data folder.
    threads : int
        How many threads the child may compute with.
    environment : mapping, optional
        Instead of `os.environ`.
    gpu : str, optional
        The only GPU that the child sees, as CUDA_VISIBLE_DEVICES names it.
    """
    result = clean(environment)
    if gpu is not None:
        result["CUDA_VISIBLE_DEVICES"] = gpu
    cache = config.cache_folder
    result |= {name: str(max(1, threads)) for name in _THREADS}
    result |= {"NUMBA_CACHE_DIR": str(cache / "numba"), "MPLCONFIGDIR": str(cache / "matplotlib")}
    # What is downloaded goes here, unless the person said where. Weights that lie in Demucs' own caches
    # are found there all the same: the separation looks in both.
    for variable, name in (("TORCH_HOME", "torch"), ("HF_HOME", "huggingface")):
        result.setdefault(variable, str(cache / name))
    return result
