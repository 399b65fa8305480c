"""Links as people write them: one address for each thing, a sentence for everything else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soundforge_nb.errors import LinkError
from soundforge_nb.pipeline.links import is_link, read_link


@pytest.mark.parametrize(
    ("text", "address", "title"),
    [
        ("https://host/song.mp3", "https://host/song.mp3", "song"),
        (" HTTPS://HOST:443/song.mp3#t=1 ", "https://host/song.mp3", "song"),
        ("http://host:8080", "http://host:8080/", "host"),
        (
            "https://host/a song (1).flac?x=a b",
            "https://host/a%20song%20(1).flac?x=a%20b",
            "a song (1)",
        ),
        ("https://münchen.de/ü.mp3", "https://xn--mnchen-3ya.de/%C3%BC.mp3", "ü"),
        ("https://[2001:db8::1]:81/a.mp3", "https://[2001:db8::1]:81/a.mp3", "a"),
        ("https://host/..%2f..%2fetc%2fpasswd", "https://host/..%2f..%2fetc%2fpasswd", "passwd"),
        ("https://host/%00.mp3", "https://host/%00.mp3", "host"),
        ("open.spotify.com/track/6rqhFgbbKwnb9MLmUQDhG6?si=1", "spotify:track:6rqhFgbbKwnb9MLmUQDhG6", None),
    ],
)
def test_a_link_has_one_address(text: str, address: str, title: str | None) -> None:
    assert is_link(text)
    link = read_link(text)
    assert link.address == address
    assert title is None or link.title == title
    assert read_link(address) == link or link.spotify


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("file:///etc/passwd", "is a file. Give its path"),
        ("ftp://host/a.mp3", r"of a kind that is not followed \(ftp:\)"),
        ("data:audio/wav;base64,AAAA", r"of a kind that is not followed \(data:\)"),
        ("https://ann:secret@host/a.mp3", "holds a user's name or password"),
        ("https:///a.mp3", "names no host"),
        ("https://[::1/a.mp3", "names no host"),
        ("https://host:port/a.mp3", "names no host"),
        ("https://host/a\0.mp3", "holds control characters"),
        ("https://host/" + "x" * 5000, "is too long"),
        ("https://spotify.link/x", "is a short link"),
    ],
)
def test_other_links_are_a_sentence(text: str, sentence: str) -> None:
    assert is_link(text)
    with pytest.raises(LinkError, match=sentence) as caught:
        read_link(text)
    assert "secret@" not in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    "name", ["song.mp3", "C:/song.mp3", "~/a", "Act 1: a.mp3", "a/b://c", "*.wav", "", "open.spotify.commons"]
)
def test_paths_are_no_links(name: str) -> None:
    assert not is_link(name)


@settings(max_examples=300)
@given(st.from_regex(r"https?://(?s:.){0,40}"))
def test_any_text_is_an_address_or_a_sentence(text: str) -> None:
    try:
        link = read_link(text)
    except LinkError as error:
        assert str(error).isprintable()
    else:
        assert read_link(link.address) == link
        assert link.address.isascii()
        assert link.title
        assert "@" not in link.address.partition("://")[2].partition("/")[0]
