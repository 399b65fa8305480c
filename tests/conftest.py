"""What all tests share: compiled code is kept over runs, everything else is made anew."""

from __future__ import annotations

import os
from pathlib import Path

# Compiling librosa's inner loops takes half a minute; each data folder would do it again.
os.environ["SOUNDFORGE_SHARED_CACHE_FOLDER"] = str(Path(__file__).parents[1] / "build" / "test-cache")
