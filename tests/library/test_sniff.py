"""The first bytes of a file tell audio from what only calls itself so."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundforge_nb.library.sniff import looks_like_audio


@pytest.mark.parametrize("suffix", ["wav", "flac", "mp3", "ogg", "aiff", "au", "caf", "w64"])
def test_real_files_are_known(tone: Callable[..., Path], suffix: str) -> None:
    assert looks_like_audio(tone(f"tone.{suffix}").read_bytes()[:4096])


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\x00" * 4096,
        b"Dear diary, today",
        "Liebes Tagebuch, heute".encode("utf-16"),
        b"\x89PNG\r\n\x1a\n",
        b"%PDF-1.7",
        b"\xff\xd8\xff\xe0JFIF",
        b"\xff",
        b"<!DOCTYPE html>",
        b"PK\x03\x04",
    ],
)
def test_what_is_no_audio_is_not_taken_for_it(head: bytes) -> None:
    # A JPEG begins with the bits of no MPEG frame: 0xD8 lacks one of the sync word.
    assert not looks_like_audio(head)


@given(st.binary(max_size=64))
def test_nothing_makes_it_raise(head: bytes) -> None:
    assert looks_like_audio(head) in (True, False)


@given(st.text(alphabet=st.characters(max_codepoint=127), max_size=64))
def test_plain_text_passes_only_with_a_real_mark(text: str) -> None:
    if looks_like_audio(text.encode()):
        assert any(
            mark in text for mark in ("RIF", "RF64", "riff", "FORM", "fLaC", "OggS", "ID3", "ftyp")
        ) or any(
            mark in text for mark in ("moov", "mdat", ".snd", "caff", "wvpk", "MAC ", "TTA1", "MP", "ADIF")
        )
