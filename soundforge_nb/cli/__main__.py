"""`python -m soundforge_nb.cli`."""

from __future__ import annotations

import sys

from soundforge_nb.cli import main

sys.exit(main())
