"""Links are read without a network: every form of them, and nothing that only looks like one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soundforge_nb.errors import LinkError
from soundforge_nb.spotify.urls import KINDS, SpotifyLink, is_spotify, parse, shown

ID = "6rqhFgbbKwnb9MLmUQDhG6"
ids = st.text("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", min_size=22, max_size=22)


@pytest.mark.parametrize(
    "form",
    [
        "https://open.spotify.com/{kind}/{id}",
        "http://open.spotify.com/{kind}/{id}",
        "open.spotify.com/{kind}/{id}",
        "https://OPEN.spotify.com/{kind}/{id}",
        "https://play.spotify.com/{kind}/{id}",
        "https://open.spotify.com/{kind}/{id}/",
        "https://open.spotify.com/{kind}/{id}?si=0123456789abcdef",
        "https://open.spotify.com/{kind}/{id}?si=abc&utm_source=copy-link&nd=1#frag",
        "https://open.spotify.com/intl-de/{kind}/{id}",
        "https://open.spotify.com/intl-pt-BR/{kind}/{id}?si=x",
        "https://open.spotify.com/embed/{kind}/{id}?utm_source=generator",
        "https://open.spotify.com:443/{kind}/{id}",
        "  spotify:{kind}:{id}\n",
        "SPOTIFY:{kind}:{id}",
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_each_form_is_the_same_link(form: str, kind: str) -> None:
    assert parse(form.format(kind=kind, id=ID)) == SpotifyLink(kind, ID)
    assert is_spotify(form.format(kind=kind, id=ID))


@pytest.mark.parametrize(
    "text", [f"spotify:user:ann:playlist:{ID}", f"https://open.spotify.com/user/ann/playlist/{ID}?si=1"]
)
def test_a_playlist_may_stand_behind_its_owner(text: str) -> None:
    assert parse(text) == SpotifyLink("playlist", ID)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("https://spotify.link/abcDEF", "is a short link"),
        ("https://spoti.fi/3abc", "is a short link"),
        (f"https://open.spotify.com/episode/{ID}", r"\(episode\) that has no tracks"),
        (f"spotify:show:{ID}", r"\(show\) that has no tracks"),
        (f"https://open.spotify.com/user/{ID}", r"\(user\) that has no tracks"),
        ("https://open.spotify.com/", "names nothing"),
        ("https://open.spotify.com/intl-de/", "names nothing"),
        ("spotify:", "names nothing"),
        (f"https://open.spotify.com/tracks/{ID}", "names nothing"),
        ("https://open.spotify.com/track/", "is damaged"),
        (f"https://open.spotify.com/track/{ID}x", "is damaged"),
        (f"https://open.spotify.com/track/{ID[:-1]}", "is damaged"),
        (f"https://open.spotify.com/track/{ID[:-1]}%", "is damaged"),
        (f"https://open.spotify.com/track/{ID}/more", "is damaged"),
        (f"https://open.spotify.com/track/../album/{ID}", "is damaged"),
        (f"spotify:track:{ID}:x", "is damaged"),
        (f"https://developer.spotify.com/track/{ID}", "is no link to Spotify's music"),
        (f"https://open.spotify.com.evil.org/track/{ID}", "is no link to Spotify's music"),
        (f"https://evil.org/?https://open.spotify.com/track/{ID}", "is no link to Spotify's music"),
        (f"https://open.spotify.com@evil.org/track/{ID}", "is no link to Spotify's music"),
        (f"ftp://open.spotify.com/track/{ID}", "is no link to Spotify's music"),
        ("http://[::1", "is no link to Spotify's music"),
    ],
)
def test_what_is_no_link_to_tracks_is_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(LinkError, match=sentence) as caught:
        parse(text)
    assert caught.value.remedy
    assert "\n" not in str(caught.value)


@given(st.sampled_from(KINDS), ids)
def test_what_a_link_writes_it_reads(kind: str, spotify_id: str) -> None:
    link = SpotifyLink(kind, spotify_id)
    assert parse(link.uri) == parse(link.url) == link


@settings(max_examples=500)
@given(st.one_of(st.text(), st.from_regex(r"(spotify:|https://open\.spotify\.com/)(?s:.){0,60}")))
def test_any_text_is_a_link_or_a_sentence(text: str) -> None:
    is_spotify(text)
    try:
        link = parse(text)
    except LinkError as error:
        assert str(error).isprintable()
        assert len(str(error)) < 500
    else:
        assert link.kind in KINDS
        assert is_spotify(text)
        assert parse(link.uri) == link


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("https://host/%0a%00x", "https://host/��x"),
        ("https://host:81/@ann/x#secret", "https://host:81/@ann/x"),
        ("https://[2001:db8::1]:81/x?secret", "https://[2001:db8::1]:81/x?…"),
        ("https://ann:secret@host/x?sig=secret#secret", "https://…@host/x?…"),
        ("https://secret@münchen.de/x", "https://…@münchen.de/x"),
        ("https://ann:secr@et@host/x", "https://…@host/x"),
        # What is no address of any kind may be somebody's password in any of its parts.
        ("https://ann:secr/et@host/x", "https://…/"),
        ("https://ann:secr?et@host/x", "https://…?…"),
        ("https://ann:secr#et@host/x", "https://…"),
        ("https://ann%3Asecret%40host/x", "https://…/"),
        ("https://ann:secret＠host/x", "https://…/"),
        ("ftp://ann:secret@host/x", "ftp://…@host/x"),
        ("open.spotify.com/track/x?secret", "open.spotify.com/track/x?…"),
    ],
)
def test_what_a_link_may_hold_in_secret_is_not_shown(text: str, seen: str) -> None:
    assert shown(text) == seen
