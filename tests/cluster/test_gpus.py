"""Which GPUs a Dask worker offers: what may be seen, what there is, and its share of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from soundforge_nb.cluster.gpus import gpu_names, own_name, share_of


@pytest.mark.parametrize(
    ("visible", "names"),
    [("0,1", ["0", "1"]), ("", []), ("-1", []), ("1,-1,2", ["1"]), (" 3 , GPU-ab ", ["3", "GPU-ab"])],
)
def test_what_may_be_seen_counts_alone(tmp_path: Path, visible: str, names: list[str]) -> None:
    (tmp_path / "0000:01:00.0").mkdir()
    assert gpu_names(environment={"CUDA_VISIBLE_DEVICES": visible}, driver=tmp_path) == names


def test_those_that_the_driver_shows(tmp_path: Path) -> None:
    for name in ("0000:01:00.0", "0000:41:00.0"):
        (tmp_path / name).mkdir()
    assert gpu_names(environment={}, driver=tmp_path) == ["0", "1"]
    assert gpu_names(1, environment={}, driver=tmp_path) == ["0"]
    assert gpu_names(0, environment={}, driver=tmp_path) == []
    assert gpu_names(environment={}, driver=tmp_path / "none") == []


def test_dask_workers_of_one_machine_share_them() -> None:
    names = ["0", "1", "2"]
    assert [share_of(names, own_name(n), 2) for n in range(2)] == [["0", "2"], ["1"]]
    assert [share_of(names, own_name(n), 4) for n in range(4)] == [["0"], ["1"], ["2"], []]
    assert share_of(names, "another-host-77", 2) == names
