"""Looking at one file: a track to be, or one sentence naming file, fault and remedy."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from soundforge_nb.errors import InputError
from soundforge_nb.library import examine as library_examine
from soundforge_nb.library.examine import examine, stamp_of


def test_an_audio_file_is_hashed_and_stamped(tone: Callable[..., Path]) -> None:
    path = tone("Mein Lied.WAV")
    found = examine(str(path))
    assert found.byte_hash == hashlib.sha256(path.read_bytes()).hexdigest()
    assert found.stamp == stamp_of(str(path))
    assert found.stamp.size_bytes == path.stat().st_size
    assert (found.title, found.format) == ("Mein Lied", "wav")
    assert found.tags.duration_seconds == pytest.approx(0.5)


def test_a_large_file_is_hashed_whole(tone: Callable[..., Path]) -> None:
    path = tone("long.wav", seconds=60)
    assert path.stat().st_size > 2 * 1024 * 1024
    assert examine(str(path)).byte_hash == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_name_of_nothing_still_has_a_title(tone: Callable[..., Path]) -> None:
    assert examine(str(tone(" .wav"))).title == "untitled"


def refusal(path: str) -> InputError:
    with pytest.raises(InputError) as caught:
        examine(path)
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize(
    ("content", "kind", "fault"),
    [
        (b"", "empty", "is empty (0 bytes). Copy or download it again."),
        (b"Dear diary", "not_audio", "is not audio: its content does not begin as an audio file's does."),
        ("Tagebuch".encode("utf-16"), "not_audio", "a wrong suffix does not make it audio."),
    ],
)
def test_what_is_no_audio_is_refused(tmp_path: Path, content: bytes, kind: str, fault: str) -> None:
    path = tmp_path / "two\nlines.wav"
    path.write_bytes(content)
    error = refusal(str(path))
    assert error.kind == kind
    assert "two\\nlines.wav" in str(error)
    assert fault in str(error)


def test_what_is_not_there_or_not_a_file_is_refused(tmp_path: Path) -> None:
    assert refusal(str(tmp_path / "gone.wav")).kind == "not_found"
    assert refusal(str(tmp_path)).kind == "not_a_file"
    link = tmp_path / "link.wav"
    link.symlink_to("nowhere")
    assert "is a link that leads nowhere" in str(refusal(str(link)))
    circle = tmp_path / "circle.wav"
    circle.symlink_to(circle)
    assert "is a link that leads in a circle" in str(refusal(str(circle)))
    pipe = tmp_path / "pipe.wav"
    os.mkfifo(pipe)
    assert refusal(str(pipe)).kind == "not_a_file"


@pytest.mark.parametrize(("late", "kind"), [("write", "changed"), ("unlink", "not_found")])
def test_a_file_that_is_still_being_written_or_removed_is_refused(
    tone: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, late: str, kind: str
) -> None:
    path = tone()

    def looks_like_audio(head: bytes) -> bool:
        if late == "write":
            with path.open("ab") as file:
                file.write(b"more")
        else:
            path.unlink()
        return True

    monkeypatch.setattr(library_examine, "looks_like_audio", looks_like_audio)
    error = refusal(str(path))
    assert error.kind == kind
    assert path.name in str(error)


def test_a_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/\xff.wav")
    Path(path).write_bytes(b"RIFF")
    error = refusal(path)
    assert error.kind == "bad_name"
    assert "\\udcff.wav is not valid text. Rename the file." in str(error)


def test_what_may_not_be_read_is_refused(tone: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    path = tone()

    def closed(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", closed)
    error = refusal(str(path))
    assert error.kind == "unreadable"
    assert "Permission denied" in str(error)
