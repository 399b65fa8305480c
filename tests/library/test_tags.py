"""Tags are read where there are any, and a damaged tag is never worth a refusal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import mutagen
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mutagen.easyid3 import EasyID3
from mutagen.flac import FLAC
from mutagen.id3 import ID3, TALB, TDRC, TIT2, TPE1, TSRC
from mutagen.wave import WAVE

from soundforge_nb.library.tags import Tags, clean, read_tags


def check(tags: Tags, rate_hz: int = 22_050) -> None:
    assert (tags.title, tags.artist, tags.album) == ("Lied – 音", "Äthergruppe", "Eins")
    assert (tags.year, tags.isrc) == (1999, "DEA123456789")
    assert (tags.sample_rate_hz, tags.channels) == (rate_hz, 1)
    assert tags.duration_seconds == pytest.approx(0.5, abs=0.1)


def test_flac(tone: Callable[..., Path]) -> None:
    path = tone("a.flac")
    file = FLAC(path)
    file.update(
        {
            "title": "Lied – 音",
            "artist": ["Äthergruppe", "andere"],
            "album": "Eins",
            "date": "1999-05-01",
            "isrc": "DEA123456789",
        }
    )
    file.save()
    check(read_tags(path))


def test_mp3(tone: Callable[..., Path]) -> None:
    path = tone("a.mp3")
    tags = EasyID3()
    tags.update(
        {
            "title": "Lied – 音",
            "artist": "Äthergruppe",
            "album": "Eins",
            "date": "1999",
            "isrc": "DEA123456789",
        }
    )
    tags.save(path)
    check(read_tags(path))


def test_wav(tone: Callable[..., Path]) -> None:
    path = tone("a.wav")
    file = WAVE(path)
    file.add_tags()
    for frame in (TIT2, TPE1, TALB, TDRC, TSRC):
        text = {
            TIT2: "Lied – 音",
            TPE1: "Äthergruppe",
            TALB: "Eins",
            TDRC: "1999-05",
            TSRC: "DEA123456789",
        }[frame]
        file.tags.add(frame(encoding=3, text=[text]))
    file.save()
    check(read_tags(path))


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.mp3", "a.ogg"])
def test_a_file_without_tags_still_tells_its_length(tone: Callable[..., Path], name: str) -> None:
    tags = read_tags(tone(name))
    assert tags.title is None
    assert tags.duration_seconds == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.mp3", "a.ogg", "a.aiff"])
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_damage_is_no_refusal(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject
) -> None:
    import numpy as np
    import soundfile

    path = tmp_path_factory.getbasetemp() / f"damaged-{name}"
    soundfile.write(path, np.zeros(500), 8000)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, min(200, len(content) - 1)))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    tags = read_tags(path)
    assert tags.sample_rate_hz is None or 0 < tags.sample_rate_hz <= 10_000_000
    assert tags.channels is None or 0 < tags.channels <= 1024
    assert tags.duration_seconds is None or 0 < tags.duration_seconds < float("inf")


def test_what_a_header_claims_must_be_believable(
    tone: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Damaged:
        tags = None

        class info:
            length, sample_rate, channels = float("nan"), 4_294_967_295, 0

    monkeypatch.setattr(mutagen, "File", lambda *_, **__: Damaged())
    assert read_tags(tone()) == Tags()


def test_a_tag_of_the_wrong_sort_is_left_out(tone: Callable[..., Path]) -> None:
    path = tone("a.mp3")
    tags = ID3()
    tags.add(TDRC(encoding=3, text="unknown"))
    tags.add(TIT2(encoding=3, text=[" \0 "]))
    tags.save(path)
    assert (read_tags(path).year, read_tags(path).title) == (None, None)


@given(st.text())
def test_clean_text_can_be_kept(text: str) -> None:
    kept = clean(text + "\udcff")
    assert "\0" not in kept
    assert kept == kept.strip()
    kept.encode("utf-8")
