"""Keys: stable over time, blind to what does not matter, and different where the stems would differ."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from soundforge_nb.pipeline.keys import (
    analysis_request_key,
    row_id,
    separation_content_key,
    separation_request_key,
)
from soundforge_nb.pipeline.options import Analysis, Separation

HASH = "0" * 64


def test_they_do_not_change_from_version_to_version() -> None:
    """A change here makes every library compute everything again: raise the version on purpose instead."""
    assert separation_request_key(HASH, Separation())[:12] == "6e95c1429d60"
    assert separation_content_key(HASH, Separation(), "abc")[:12] == "c191ff633aa4"
    assert analysis_request_key(HASH, Analysis())[:12] == "b85357fbfb80"
    assert row_id("stem", "track", "key", "vocals") == "dff7f287-e9c2-8ef3-8884-3314a4dde2db"


def test_the_device_and_the_order_of_stems_do_not_matter() -> None:
    one = Separation(device="cpu", stems=("vocals", "bass"))
    two = Separation(device="cuda", stems=("bass", "vocals"))
    assert separation_request_key(HASH, one) == separation_request_key(HASH, two)
    assert separation_content_key(HASH, one, "w") == separation_content_key(HASH, two, "w")


@pytest.mark.parametrize(
    "change",
    [
        {"model": "htdemucs_ft"},
        {"shifts": 2},
        {"overlap": 0.5},
        {"segment_seconds": 5},
        {"stems": "vocals"},
        {"two_stems": "vocals"},
        {"format": "flac"},
    ],
)
def test_what_changes_the_stems_changes_the_key(change: dict[str, Any]) -> None:
    assert separation_request_key(HASH, Separation()) != separation_request_key(HASH, Separation(**change))
    assert separation_request_key(HASH, Separation()) != separation_request_key("1" * 64, Separation())


def test_stems_are_what_weights_make_of_them_not_what_a_model_is_called(tmp_path: Path) -> None:
    named, local = Separation("demo"), Separation("other", str(tmp_path))
    assert separation_content_key(HASH, named, "w") == separation_content_key(HASH, local, "w")
    assert separation_content_key(HASH, named, "w") != separation_content_key(HASH, named, "v")


def test_the_content_of_a_model_folder_matters(tmp_path: Path) -> None:
    separation = Separation("mine", str(tmp_path / "models"))
    keys = [separation_request_key(HASH, separation)]
    (tmp_path / "models").mkdir()
    weights = tmp_path / "models" / "mine.th"
    weights.write_bytes(b"one")
    keys.append(separation_request_key(HASH, separation))
    assert separation_request_key(HASH, separation) == keys[-1]
    weights.write_bytes(b"longer")
    keys.append(separation_request_key(HASH, separation))
    os.utime(weights, ns=(1, 1))
    keys.append(separation_request_key(HASH, separation))
    (tmp_path / "models" / "mine.yaml").write_text("models: [mine]")
    keys.append(separation_request_key(HASH, separation))
    assert len(set(keys)) == 5


def test_the_model_that_ships_is_known_by_its_card(monkeypatch: pytest.MonkeyPatch) -> None:
    before = separation_request_key(HASH, Separation("demo"))
    monkeypatch.setattr("soundforge_nb.pipeline.keys._demo_sha256", lambda: "another")
    assert separation_request_key(HASH, Separation("demo")) != before


def test_an_analysis_is_known_by_bytes_features_and_source() -> None:
    tempo, key = Analysis(("tempo",)), Analysis(("key",))
    assert analysis_request_key(HASH, Analysis(("key", "tempo"))) == analysis_request_key(
        HASH, Analysis(("tempo", "key"))
    )
    keys = {
        analysis_request_key(HASH, tempo),
        analysis_request_key(HASH, key),
        analysis_request_key("1" * 64, tempo),
        analysis_request_key(HASH, tempo, "stems of x"),
    }
    assert len(keys) == 4
