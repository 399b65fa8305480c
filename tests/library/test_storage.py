"""The janitor's eye and hand: what nobody needs is found and proved, and nothing else is ever touched."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from soundforge_nb.library import storage
from soundforge_nb.library.storage import Survey, names_of

GRACE = 3600.0
LATER = GRACE * 10


def made(path: Path, size: int = 3) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    return path


def look(folder: Path, owned: list[Path] = [], leases: set[str] = set(), later: float = LATER) -> Survey:  # noqa: B006
    return storage.survey(
        folder,
        folder / "cache",
        names_of(map(str, owned)),
        leases,
        now=time.time() + later,
        grace_seconds=GRACE,
    )


def paths(found: Survey) -> set[Path]:
    return {Path(orphan.path) for orphan in found.orphans}


def test_a_file_without_a_row_is_proved_and_removed_with_its_empty_folders(tmp_path: Path) -> None:
    kept = made(tmp_path / "stems" / "track" / "key" / "bass.wav")
    lost = made(tmp_path / "stems" / "track" / "other" / "bass.wav", 7)
    found = look(tmp_path, [kept])
    (orphan,) = found.orphans
    assert Path(orphan.path) == lost
    assert orphan.reason == "No row of the library names it. It was last changed or moved 10 hours ago."
    assert (found.owned, found.kinds["stems"].files, found.kinds["stems"].size_bytes) == (1, 2, 10)
    assert storage.remove(found.orphans, tmp_path, names_of([str(kept)])) == [orphan]
    assert kept.exists()
    assert not lost.parent.exists()
    assert (tmp_path / "stems" / "track").exists()


def test_the_young_and_what_is_elsewhere_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    outside = made(tmp_path / "outside" / "song.wav")
    made(folder / "stems" / "t" / "k" / "young.wav")
    made(folder / "cache" / "weights.th")
    made(folder / "logs" / "application.log")
    made(folder / "soundforge.duckdb")
    made(folder / "tls" / "key.pem")
    (folder / "stems" / "link").symlink_to(tmp_path / "outside")
    (folder / "stems" / "link.wav").symlink_to(outside)
    assert look(folder, later=GRACE / 2).orphans == []
    assert paths(look(folder)) == {folder / "stems" / "t" / "k" / "young.wav"}
    kinds = look(folder).kinds
    assert (kinds["library"].files, kinds["other"].files, kinds["cache"].files) == (1, 1, 1)


def test_staging_belongs_to_its_leases(tmp_path: Path) -> None:
    made(tmp_path / "staging" / "alive" / "bass.wav")
    dead = made(tmp_path / "staging" / "dead" / "bass.wav")
    assert paths(look(tmp_path, leases={"alive"})) == {dead}


def test_a_moved_data_folder_makes_nothing_an_orphan(tmp_path: Path) -> None:
    made(tmp_path / "new" / "stems" / "track" / "key" / "bass.wav")
    rows = [tmp_path / "old" / "stems" / "track" / "key" / "bass.wav"]
    assert look(tmp_path / "new", rows).orphans == []


@pytest.mark.parametrize("change", ["row", "touched", "replaced", "gone", "link"])
def test_what_changed_since_the_survey_stays(tmp_path: Path, change: str) -> None:
    lost = made(tmp_path / "data" / "stems" / "t" / "k" / "bass.wav")
    found = look(tmp_path / "data")
    owned: list[str] = []
    if change == "row":
        owned = [str(lost)]
    elif change == "touched":
        os.utime(lost)
    elif change == "replaced":
        made(lost.with_name("new")).replace(lost)
    elif change == "gone":
        lost.unlink()
    else:
        # The folder leads elsewhere now, to a file of the same name.
        elsewhere = tmp_path / "elsewhere"
        lost.parent.rename(elsewhere)
        lost.parent.symlink_to(elsewhere)
    assert storage.remove(found.orphans, tmp_path / "data", names_of(owned)) == []
    assert change == "gone" or lost.exists()


NAMES = st.sampled_from(["a", "b", "c", "d.wav", "e.wav"])
TREES = st.dictionaries(
    st.tuples(
        st.sampled_from(["stems", "downloads", "staging", "cache", "logs", "tls"]), NAMES, NAMES, NAMES
    ),
    st.tuples(st.booleans(), st.booleans()),
    max_size=25,
)


@given(tree=TREES, leases=st.sets(NAMES, max_size=2))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_exactly_the_old_and_unowned_go(
    tree: dict[tuple[str, ...], tuple[bool, bool]], leases: set[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("tree")
    old = time.time() - 10 * GRACE
    wanted, files, owned = set(), set(), []
    for parts, (is_owned, _) in tree.items():
        path = made(folder.joinpath(*parts))
        files.add(path)
        if is_owned:
            owned.append(path)
        os.utime(path, (old, old))
    names = names_of(map(str, owned))
    for path in files:
        place, *rest = path.relative_to(folder).parts
        judged = place in ("stems", "downloads") or (place == "staging" and rest[0] not in leases)
        # By what lies below its place: a row of another place may name it too, and then it stays.
        is_named = place != "staging" and tuple(rest) in names
        if judged and not is_named:
            wanted.add(path)
    found = look(folder, owned, leases)
    assert paths(found) == wanted
    gone = storage.remove(found.orphans, folder, names)
    left = {path for path in folder.rglob("*") if path.is_file()}
    assert files - left == {Path(orphan.path) for orphan in gone}
    assert files - left <= wanted
    assert set(owned) <= left
