"""What `import soundforge_nb` offers, and what it must not cost."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import soundforge_nb

HEAVY = ("torch", "librosa", "numba", "distributed", "matplotlib", "pandas")


def test_the_public_names_are_these() -> None:
    assert soundforge_nb.__all__ == [
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
    assert dir(soundforge_nb) == sorted([*soundforge_nb.__all__, "__version__"])


@pytest.mark.parametrize("name", soundforge_nb.__all__)
def test_each_name_is_there_and_says_what_it_is(name: str) -> None:
    assert getattr(soundforge_nb, name).__doc__


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'separate'"):
        soundforge_nb.separate  # noqa: B018


def loaded_by(code: str) -> set[str]:
    """The modules of other packages that a fresh interpreter has loaded after `code`."""
    script = f"{code}\nimport json, sys\nprint(json.dumps([name.partition('.')[0] for name in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def test_the_import_loads_nothing_heavy() -> None:
    assert loaded_by("import soundforge_nb").isdisjoint(HEAVY)


def test_options_and_errors_load_nothing_heavy() -> None:
    code = "from soundforge_nb import Analysis, Config, Separation, SoundforgeError"
    assert loaded_by(code).isdisjoint(HEAVY)
