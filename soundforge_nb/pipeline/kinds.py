"""The kinds of job: those that this package brings, and those that the settings name."""

from __future__ import annotations

from importlib import import_module

from soundforge_nb.config import Config
from soundforge_nb.errors import ConfigError
from soundforge_nb.jobs.kind import Kind, Kinds
from soundforge_nb.pipeline.analyze_track import AnalyzeStems, AnalyzeTrack
from soundforge_nb.pipeline.download_track import DownloadTrack
from soundforge_nb.pipeline.read_spotify import ReadSpotify
from soundforge_nb.pipeline.separate_stems import SeparateStems

DOWNLOAD_TRACK = DownloadTrack()
SEPARATE_STEMS = SeparateStems()
ANALYZE_TRACK = AnalyzeTrack()
ANALYZE_STEMS = AnalyzeStems()
READ_SPOTIFY = ReadSpotify()
BUILT_IN = (READ_SPOTIFY, DOWNLOAD_TRACK, SEPARATE_STEMS, ANALYZE_TRACK, ANALYZE_STEMS)


def kinds_of(config: Config) -> Kinds:
    """All kinds of an application; its own ones are imported by name.

    Raises
    ------
    ConfigError
        One can't be imported, is no `Kind`, lacks its name or a queue that is there, or takes a name
        that is taken.
    """
    found: dict[str, Kind] = {kind.name: kind for kind in BUILT_IN}
    for named in config.kind_names:
        kind = _imported(named)
        _check(kind, named, config)
        if kind.name in found:
            raise ConfigError(
                f"The kind {named} is named {kind.name!r}, as another one is.", "Give it a name of its own."
            )
        found[kind.name] = kind
    return Kinds(found.values())


def _imported(named: str) -> Kind:
    module, _, name = named.partition(":")
    try:
        made = getattr(import_module(module), name)()
    # What a person's module does when it is imported is its own affair.
    except Exception as error:
        raise ConfigError(
            f"The kind {named} can't be loaded: {type(error).__name__}: {error}.",
            "Write kinds as module:Class, with the module installed or on PYTHONPATH.",
        ) from error
    if not isinstance(made, Kind):
        raise ConfigError(f"{named} is no kind of job.", "Derive it from soundforge_nb.Kind.")
    return made


def _check(kind: Kind, named: str, config: Config) -> None:
    if not getattr(kind, "name", ""):
        raise ConfigError(f"The kind {named} has no name.", 'Give its class one: name = "…".')
    if getattr(kind, "queue", None) not in config.limits:
        raise ConfigError(
            f"The kind {named} names no queue that is there.",
            f"Give its class one: queue = {' or '.join(map(repr, config.limits))}.",
        )
