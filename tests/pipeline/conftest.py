"""Properties take their time here: a machine that is busy with something else makes none false."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
