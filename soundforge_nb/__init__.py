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
    from soundforge_nb.forge.tracks import Track, TrackList
    from soundforge_nb.pipeline.options import Analysis, Separation

__all__ = [
    "Analysis",
    "Batch",
    "Config",
    "Forge",
    "Separation",
    "SoundforgeError",
    "Track",
    "TrackList",
    "connect",
]

_PLACES = {
    "Analysis": "soundforge_nb.pipeline.options",
    "Batch": "soundforge_nb.forge.batch",
    "Config": "soundforge_nb.config",
    "Forge": "soundforge_nb.forge.forge",
    "Separation": "soundforge_nb.pipeline.options",
    "SoundforgeError": "soundforge_nb.errors",
    "Track": "soundforge_nb.forge.tracks",
    "TrackList": "soundforge_nb.forge.tracks",
    "connect": "soundforge_nb.forge.forge",
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
