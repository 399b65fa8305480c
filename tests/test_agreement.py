"""What two rooms must say alike, though neither may import the other."""

from __future__ import annotations

from soundforge_nb.audio import analysis, separation, stem_writer
from soundforge_nb.pipeline import keys, options


def test_the_versions_of_the_programs_are_part_of_the_keys() -> None:
    assert keys.SEPARATION_VERSION == separation.SEPARATION_VERSION
    assert keys.ANALYSIS_VERSION == analysis.ANALYSIS_VERSION


def test_the_formats_that_can_be_asked_for_can_be_written() -> None:
    assert set(options.FORMATS) == set(stem_writer.FORMATS)
