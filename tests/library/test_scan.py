"""From names to files: whatever is named ends as a file or as a sentence."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from soundforge_nb.errors import InputError
from soundforge_nb.library.scan import find_files, printable


@pytest.fixture
def music(tmp_path: Path) -> Path:
    for name in (
        "b.wav",
        "a.MP3",
        "cover.jpg",
        ".hidden.wav",
        "._a.mp3",
        "deep/er/c.flac",
        "deep/notes.txt",
        ".trash/gone.wav",
    ):
        path = tmp_path / "music" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return tmp_path / "music"


def names(files: list[str], folder: Path) -> list[str]:
    return [str(Path(file).relative_to(folder)) for file in files]


def only_error(found: Any) -> InputError:
    assert found.files == []
    ((_, error),) = found.rejected
    assert isinstance(error, InputError)
    return error


def test_a_folder_gives_the_audio_below_it(music: Path) -> None:
    found = find_files([music])
    assert names(found.files, music) == ["a.MP3", "b.wav", "deep/er/c.flac"]
    assert found.rejected == []


def test_a_file_named_by_itself_may_be_called_anything_and_be_hidden(music: Path) -> None:
    found = find_files([music / "cover.jpg", str(music / ".hidden.wav"), os.fsencode(music / "b.wav")])
    assert names(found.files, music) == ["cover.jpg", ".hidden.wav", "b.wav"]


def test_each_file_comes_once_in_the_order_named(music: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(music)
    found = find_files(["b.wav", ".", music / "b.wav", "*.wav", "./deep/../b.wav"])
    assert names(found.files, music)[:3] == ["b.wav", "a.MP3", "deep/er/c.flac"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.wav", ["b.wav"]),
        ("?.*", ["a.MP3", "b.wav"]),
        ("[ab].wav", ["b.wav"]),
        ("**/*.flac", ["deep/er/c.flac"]),
        ("**", ["a.MP3", "b.wav", "deep/er/c.flac"]),
        ("d*", ["deep/er/c.flac"]),
        ("*/er/*", ["deep/er/c.flac"]),
        (".*.wav", [".hidden.wav"]),
        (".tr*/*.wav", [".trash/gone.wav"]),
    ],
)
def test_globs(music: Path, pattern: str, expected: list[str]) -> None:
    found = find_files([str(music / pattern)])
    audio = [name for name in names(found.files, music) if not name.endswith((".jpg", ".txt"))]
    assert audio == expected
    assert found.rejected == []


def test_a_name_that_looks_like_a_glob_but_is_a_file(tmp_path: Path) -> None:
    file = tmp_path / "song [live] *.wav"
    file.write_bytes(b"x")
    assert find_files([str(file)]).files == [str(file)]


@pytest.mark.parametrize("named", ["loop", "**/*.wav", "**"])
def test_links_in_a_circle_do_not_trap(tmp_path: Path, named: str) -> None:
    (tmp_path / "loop" / "in").mkdir(parents=True)
    (tmp_path / "loop" / "a.wav").write_bytes(b"x")
    (tmp_path / "loop" / "in" / "back").symlink_to(tmp_path / "loop")
    (tmp_path / "loop" / "in" / "self").symlink_to(tmp_path / "loop" / "in")
    found = find_files([str(tmp_path / named)])
    assert found.files == [str(tmp_path / "loop" / "a.wav")]


def test_a_dangling_link_is_kept_for_its_sentence(tmp_path: Path) -> None:
    link = tmp_path / "gone.wav"
    link.symlink_to(tmp_path / "nowhere.wav")
    assert find_files([link]).files == [str(link)]


@pytest.mark.parametrize(
    "name",
    [
        "with spaces.wav",
        'it\'s "quoted".wav',
        "two\nlines.wav",
        "--verbose.wav",
        "Motörhead – 音楽.wav",
        "$(rm -rf) `x`;.wav",
        "back\\slash.wav",
    ],
)
def test_names_of_every_sort(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    (tmp_path / name).write_bytes(b"x")
    monkeypatch.chdir(tmp_path)
    assert find_files([name]).files == [str(tmp_path / name)]
    assert find_files(["."]).files == [str(tmp_path / name)]


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/\xff\xfe.wav"
    Path(os.fsdecode(path)).write_bytes(b"x")
    (file,) = find_files([tmp_path]).files
    assert os.fsencode(file) == path
    assert printable(file).endswith("\\udcff\\udcfe.wav")


@pytest.mark.parametrize(
    ("name", "kind", "sentence"),
    [
        ("nul\0byte.wav", "not_found", "nul\\x00byte.wav is no path: it holds a NUL. Name a file."),
        ("nothing/here.wav", "not_found", "nothing/here.wav is not there. Check the path."),
        ("none*.wav", "not_found", "Nothing matches none*.wav. Check the pattern."),
        ("~nobody_of_this_name/x.wav", "not_found", "is not there"),
        ("x" * 300 + ".wav", None, "xxx.wav"),
        ("", None, "An empty name is no path."),
        ("  ", None, "An empty name is no path."),
        ("bad\nname.wav", "not_found", "bad\\nname.wav is not there."),
    ],
)
def test_what_leads_nowhere_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, kind: str | None, sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    found = find_files([name])
    error = only_error(found)
    assert sentence in str(error)
    assert found.rejected[0][0] == name
    if kind is not None:
        assert error.kind == kind


def test_a_folder_without_audio_says_what_was_looked_for(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    error = only_error(find_files([tmp_path]))
    assert error.kind == "no_audio"
    assert str(error).startswith(f"The folder {tmp_path} has no audio files. Audio is looked for by suffix")


def test_one_bad_name_leaves_the_others(music: Path) -> None:
    found = find_files(["nowhere", music / "b.wav", "http://x"])
    assert names(found.files, music) == ["b.wav"]
    assert [name for name, _ in found.rejected] == ["nowhere", "http://x"]


def test_a_folder_that_can_not_be_looked_into_is_named(music: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scan = os.scandir

    def closed(path: Any) -> Iterator[Any]:
        if str(path).endswith("deep"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)  # type: ignore[return-value]

    monkeypatch.setattr(os, "scandir", closed)
    found = find_files([music])
    assert names(found.files, music) == ["a.MP3", "b.wav"]
    ((name, error),) = found.rejected
    assert name == str(music / "deep")
    assert "Permission denied" in str(error)
