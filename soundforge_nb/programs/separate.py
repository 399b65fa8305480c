"""The separator: a song into stems, by a Demucs model.

Request: ``{"path", "output_folder", "model": "htdemucs", "model_folder", "device": "auto", "shifts": 1,
"overlap": 0.25, "segment_seconds", "stems", "two_stems", "two_stems_method": "minus",
"format": "wav_float32", "seed", "threads": 1, "expected": {"size_bytes", "mtime_ns"}}``; all but
the two paths may be missing or null.
The result is described at `soundforge_nb.audio.separation.separate`; ``versions`` is added.
"""

from __future__ import annotations

from typing import Any

from soundforge_nb.programs.child import Report, run
from soundforge_nb.programs.request import path_of, set_threads, versions


def handle(request: dict[str, Any], report: Report) -> dict[str, Any]:
    path, output_folder = path_of(request), path_of(request, "output_folder")
    threads = set_threads(request)
    report(0, "Starting")
    from soundforge_nb.audio.separation_options import SeparationOptions

    options = SeparationOptions.from_json(request)
    # Here, not above: the hello line must not wait for torch.
    import torch

    from soundforge_nb.audio.separation import separate

    torch.set_num_threads(threads)
    result = separate(path, output_folder, options, expected=request.get("expected"), report=report)
    return result | {"versions": versions("demucs", "torch", "numpy", "soundfile", "soxr")}


if __name__ == "__main__":
    run("separate", handle)
