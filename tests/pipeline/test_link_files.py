"""Links that hold a key: whole in one file each, for their owner's eyes, until they were used."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from soundforge_nb.errors import LinkError
from soundforge_nb.pipeline.link_files import LinkFiles

ADDRESS = "https://host/a.mp3?sig=secret"
SHOWN = "https://host/a.mp3?…"


@pytest.fixture
def files(tmp_path: Path) -> LinkFiles:
    return LinkFiles(tmp_path / "data" / "links")


def test_a_link_is_kept_and_let_go_of(files: LinkFiles, tmp_path: Path) -> None:
    assert files.kept() == {}
    mark = files.mark(ADDRESS)
    files.keep(mark, ADDRESS)
    files.keep(mark, ADDRESS)
    assert files.whole(mark, SHOWN) == ADDRESS
    assert list(files.kept()) == [mark]
    files.drop(mark)
    files.drop(mark)
    with pytest.raises(LinkError, match=r"^The whole of https://host/a\.mp3\?… is not kept any more"):
        files.whole(mark, SHOWN)
    files.keep(mark, ADDRESS)
    assert files.whole(mark, SHOWN) == ADDRESS


def test_a_link_without_a_query_needs_no_file(files: LinkFiles) -> None:
    assert files.whole("ab" * 32, "https://host/a.mp3") == "https://host/a.mp3"


def test_only_its_owner_may_look(files: LinkFiles, tmp_path: Path) -> None:
    folder = tmp_path / "data" / "links"
    folder.mkdir(parents=True, mode=0o777)
    folder.chmod(0o777)
    files.keep(files.mark(ADDRESS), ADDRESS)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    assert len(list(folder.iterdir())) == 2


def test_a_mark_is_the_link_s_in_this_folder_alone(files: LinkFiles, tmp_path: Path) -> None:
    assert files.mark(ADDRESS) == files.mark(ADDRESS) == LinkFiles(tmp_path / "data" / "links").mark(ADDRESS)
    assert files.mark(ADDRESS) != files.mark(ADDRESS + "x")
    assert LinkFiles(tmp_path / "other").mark(ADDRESS) != files.mark(ADDRESS)


def test_all_who_begin_at_once_agree(files: LinkFiles) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(files.mark, [ADDRESS] * 64))) == 1


@pytest.mark.parametrize("mark", ["", "..", "../../etc/passwd", "key", "AB" * 32, "ab" * 31])
def test_what_is_no_mark_names_no_file(files: LinkFiles, mark: str) -> None:
    for use in (files.drop, lambda mark: files.keep(mark, "x"), lambda mark: files.whole(mark, SHOWN)):
        with pytest.raises(ValueError, match="no mark"):
            use(mark)  # type: ignore[no-untyped-call]
