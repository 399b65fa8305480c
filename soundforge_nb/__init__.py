"""Songs in, stems, analyses and SQL out: durable audio jobs for notebooks, on Dask and DuckDB.

>>> import soundforge_nb as sf
>>> sf.__version__
'0.1.0'

Everything but this module loads when it is first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from soundforge_nb.config import Config
    from soundforge_nb.errors import SoundforgeError
    from soundforge_nb.forge.batch import Batch
    from soundforge_nb.forge.forge import Forge, connect
    from soundforge_nb.forge.parameters import check_parameters
    from soundforge_nb.forge.tracks import Track, TrackList
    from soundforge_nb.jobs.job import Cancel, Completed, Discard, Job, Retry, Snooze
    from soundforge_nb.jobs.kind import Context, Kind
    from soundforge_nb.pipeline.options import Analysis, Separation

__all__ = [
    "Analysis",
    "Batch",
    "Cancel",
    "Completed",
    "Config",
    "Context",
    "Discard",
    "Forge",
    "Job",
    "Kind",
    "Retry",
    "Separation",
    "Snooze",
    "SoundforgeError",
    "Track",
    "TrackList",
    "check_parameters",
    "connect",
]

_PLACES = {
    "Analysis": "soundforge_nb.pipeline.options",
    "Batch": "soundforge_nb.forge.batch",
    "Cancel": "soundforge_nb.jobs.job",
    "Completed": "soundforge_nb.jobs.job",
    "Config": "soundforge_nb.config",
    "Context": "soundforge_nb.jobs.kind",
    "Discard": "soundforge_nb.jobs.job",
    "Forge": "soundforge_nb.forge.forge",
    "Job": "soundforge_nb.jobs.job",
    "Kind": "soundforge_nb.jobs.kind",
    "Retry": "soundforge_nb.jobs.job",
    "Separation": "soundforge_nb.pipeline.options",
    "Snooze": "soundforge_nb.jobs.job",
    "SoundforgeError": "soundforge_nb.errors",
    "Track": "soundforge_nb.forge.tracks",
    "TrackList": "soundforge_nb.forge.tracks",
    "check_parameters": "soundforge_nb.forge.parameters",
    "connect": "soundforge_nb.forge.forge",
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
