"""What a Dask worker makes of a place that it can't write to."""

from __future__ import annotations

from pathlib import Path

import pytest

from soundforge_nb.cluster.plugin import make_staging
from soundforge_nb.errors import DiskError


def test_a_staging_folder_that_can_not_be_made_is_a_sentence(tmp_path: Path) -> None:
    staging = tmp_path / "staging"
    staging.write_text("no folder")

    with pytest.raises(DiskError, match=r"staging can't be written to \(Not a directory\)\. Make room"):
        make_staging(staging / "lease")
