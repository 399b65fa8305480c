"""The kinds that this package brings."""

from __future__ import annotations

from soundforge_nb.jobs.kind import Kinds
from soundforge_nb.pipeline.analyze_track import AnalyzeStems, AnalyzeTrack
from soundforge_nb.pipeline.separate_stems import SeparateStems

SEPARATE_STEMS = SeparateStems()
ANALYZE_TRACK = AnalyzeTrack()
ANALYZE_STEMS = AnalyzeStems()


def built_in_kinds() -> Kinds:
    return Kinds([SEPARATE_STEMS, ANALYZE_TRACK, ANALYZE_STEMS])
