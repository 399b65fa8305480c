"""The check: whether the libraries for sound work here; what `soundforge doctor` can only learn in a child.

Request: ``{"part": "sound"}`` answers ``codecs`` (see `soundforge_nb.audio.codecs.try_codecs`),
``features`` and ``versions``; ``{"part": "models", "model_folder"}`` answers ``models``, ``demo`` and
``devices``.
"""

from __future__ import annotations

from typing import Any

from soundforge_nb.errors import UsageError
from soundforge_nb.programs.child import Report, run
from soundforge_nb.programs.request import set_threads, versions


def handle(request: dict[str, Any], report: Report) -> dict[str, Any]:
    set_threads(request)
    parts = {"sound": _sound, "models": _models}
    part = request.get("part")
    if part not in parts:
        raise UsageError(f"The request's part is {part!r}.", f"Choose from {', '.join(parts)}.")
    return parts[part](request)


def _sound(request: dict[str, Any]) -> dict[str, Any]:
    from soundforge_nb.audio.codecs import try_codecs

    codecs = try_codecs()
    # With it come librosa, numba and soxr: what the analyzer imports.
    from soundforge_nb.audio.analysis import FEATURES

    return {"codecs": codecs, "features": list(FEATURES), "versions": versions("librosa", "numba", "soxr")}


def _models(request: dict[str, Any]) -> dict[str, Any]:
    from soundforge_nb.audio.model_inventory import list_models, try_demo

    models = list_models(request.get("model_folder"))
    import torch

    devices = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    return {
        "models": models,
        "demo": try_demo(),
        "devices": [name for name, is_there in devices.items() if is_there],
    }


if __name__ == "__main__":
    run("check", handle)
