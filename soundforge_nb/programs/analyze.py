"""The analyzer: tempo, key, energy, spectral shape, MFCCs and chroma of one file.

Request: ``{"path", "features": ["all"], "threads": 1, "expected": {"size_bytes", "mtime_ns"}}``; all but the
path may be missing. The result is described at `soundforge_nb.audio.analysis.analyze`; ``versions`` is added.
"""

from __future__ import annotations

from typing import Any

from soundforge_nb.programs.child import Report, run
from soundforge_nb.programs.request import path_of, set_threads, versions


def handle(request: dict[str, Any], report: Report) -> dict[str, Any]:
    path = path_of(request)
    set_threads(request)
    # librosa compiles its inner loops when they are first needed: half a minute, once a data folder.
    report(0, "Loading librosa (the first time takes a while)")
    # Here, not above: the hello line must not wait for librosa.
    from soundforge_nb.audio.analysis import analyze

    report(4, "Opening the file")
    result = analyze(
        path, request.get("features") or ["all"], expected=request.get("expected"), report=report
    )
    return result | {"versions": versions("librosa", "numpy", "soundfile", "soxr")}


if __name__ == "__main__":
    run("analyze", handle)
