"""The kinds of job: those that this package brings, and those that the settings name."""

from __future__ import annotations

from soundforge_nb.config import Config
from soundforge_nb.errors import ConfigError
from soundforge_nb.jobs.kind import Kind, Kinds
from soundforge_nb.pipeline.analyze_track import AnalyzeStems, AnalyzeTrack
from soundforge_nb.pipeline.download_track import DownloadTrack
from soundforge_nb.pipeline.own_kind import named_kind
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
        kind = named_kind(named)
        _check(kind, named, config)
        if kind.name in found:
            raise ConfigError(
                f"The kind {named} is named {kind.name!r}, as another one is.", "Give it a name of its own."
            )
        found[kind.name] = kind
    return Kinds(found.values())


def _check(kind: Kind, named: str, config: Config) -> None:
    if not getattr(kind, "name", ""):
        raise ConfigError(f"The kind {named} has no name.", 'Give its class one: name = "…".')
    if getattr(kind, "queue", None) not in config.limits:
        raise ConfigError(
            f"The kind {named} names no queue that is there.",
            f"Give its class one: queue = {' or '.join(map(repr, config.limits))}.",
        )
    if kind.runs_in not in ("child", "dask_task"):
        raise ConfigError(
            f"The kind {named} runs in {kind.runs_in!r}, which is nowhere.", 'Say "child" or "dask_task".'
        )
    if kind.chunk > 1 and kind.runs_in == "child":
        raise ConfigError(
            f"The kind {named} has chunks of jobs, each of which would need a child of its own.",
            'Say runs_in = "dask_task" for jobs of milliseconds, or leave chunk out.',
        )
