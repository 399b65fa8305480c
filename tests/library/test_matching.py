"""Files of one's own are found by their ISRC, else by title, artist and length together; others are not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundforge_nb.library.matching import LEAST_SCORE, Match, Matcher, Recording


def found(wanted: Recording, *own: Recording) -> Match | None:
    return Matcher(own).find(wanted)


def song(
    title: str,
    artist: str | None = "Ada",
    seconds: float | None = 200.0,
    isrc: str | None = None,
    name: str = "x",
) -> Recording:
    return Recording(name, title, artist, isrc, seconds)


@pytest.mark.parametrize(
    ("wanted", "own"),
    [
        (song("Song"), song("Song")),
        (song("Song"), song("SONG", "ADA")),
        (song("Song", "Ada, Bob"), song("Song", "Ada feat. Bob")),
        (song("Song (feat. Bob)"), song("Song")),
        (song("Song feat. Bob", "Ada"), song("Song", "Ada")),
        (song("Song - Remastered 2011"), song("Song")),
        (song("Song - 2011 Remastered Version"), song("Song (Mono Version)")),
        (song("Song - Live"), song("Song (live)")),
        (song("Don’t Stop"), song("Dont Stop")),
        (song("Salt & Pepper"), song("Salt and Pepper")),
        (song("Überraschung", "Motörhead"), song("Uberraschung", "Motorhead")),
        (song("Song", "The Beatles"), song("Song", "Beatles")),
        (song("Song", "Simon & Garfunkel"), song("Song", "Simon and Garfunkel")),
        (song("Song", seconds=200), song("Song", seconds=203)),
        (song("Long", seconds=900), song("Long", seconds=920)),
        (song("A title that is rather long"), song("A title that is rahter long")),
        # Without tags a file is known by its name.
        (song("Song"), song("Ada - Song", None)),
        (song("Song"), song("03 - Ada - Song", None)),
        (song("Song - Live"), song("Ada - Song (Live)", None)),
        (song("夜に駆ける", "YOASOBI"), song("夜に駆ける", "Yoasobi")),
        (song("???"), song("???")),
    ],
)
def test_the_same_is_found(wanted: Recording, own: Recording) -> None:
    match = found(wanted, own)
    assert match is not None
    assert LEAST_SCORE <= match.score <= 1
    assert match.reason == "title, artist and length"


@pytest.mark.parametrize(
    ("wanted", "own"),
    [
        (song("Song"), song("Song", "Bob")),
        (song("Song", "Ada"), song("Song", "Ida")),
        (song("Song"), song("Song", None)),
        (song("Song"), song("Song", seconds=220)),
        (song("Song"), song("Song", seconds=None)),
        (song("Song"), song("Song (Live)")),
        (song("Song"), song("Song - Radio Edit")),
        (song("Song - Bob Remix"), song("Song")),
        (song("Song (Acoustic)"), song("Song (Live)")),
        (song("Song (Live) - Remastered"), song("Song")),
        (song("Love Me Do"), song("Love Me So")),
        (song("Song 2"), song("Song 3")),
        (song("Symphony No. 5 in C minor"), song("Symphony No. 6 in C minor")),
        (song("The Wall of Sound, Part I"), song("The Wall of Sound, Part II")),
        (song("Dancing with Myself"), song("Dancing with Tears")),
        (song("Song"), song("03 - Song", None)),
    ],
)
def test_another_is_not(wanted: Recording, own: Recording) -> None:
    assert found(wanted, own) is None


def test_an_isrc_goes_before_everything_but_the_length() -> None:
    wanted = song("Song", isrc="DEA123400007")
    by_name = song("Song", name="by name")
    by_isrc = song("Другое", "Other", 201.0, "de-a12-34-00007", "by isrc")
    assert found(wanted, by_name, by_isrc) == Match("x", "by isrc", 1.0, "the same ISRC")
    # A wrong tag is met: an hour is no song of three minutes.
    wrong = song("Other", "Other", 3600.0, "DEA123400007", "wrong")
    match = found(wanted, wrong, by_name)
    assert match is not None
    assert match.found == "by name"
    untold = song("Other", "Other", None, "DEA123400007", "untold")
    assert found(wanted, untold) == Match("x", "untold", 1.0, "the same ISRC")
    nearest = found(wanted, song("A", "B", 203.0, "DEA123400007", "far"), by_isrc)
    assert nearest is not None
    assert nearest.found == "by isrc"


def test_the_best_and_of_the_same_the_first_is_taken() -> None:
    wanted = song("A title that is rather long")
    own = [
        song("A title that is rahter long", name="1"),
        song("A title that is rather long", seconds=202.0, name="2"),
        song("A title that is rather long", name="4"),
        song("A title that is rather long", name="3"),
    ]
    match = found(wanted, *own)
    assert match is not None
    assert match.found == "3"


recordings = st.builds(
    Recording,
    st.sampled_from(["a", "b", "c"]),
    st.text(max_size=20),
    st.none() | st.text(max_size=12),
    st.none() | st.text(max_size=14),
    st.none() | st.floats(0, 1000),
)


@given(recordings, st.lists(recordings, max_size=4))
def test_any_names_are_compared(wanted: Recording, own: list[Recording]) -> None:
    match = found(wanted, *own)
    if match is not None:
        assert LEAST_SCORE <= match.score <= 1
        assert match.found in {recording.name for recording in own}


@given(st.from_regex(r"\A[^\W\d_]{3,12}( [^\W\d_]{3,12}){0,3}\Z"), st.floats(30, 900))
def test_what_is_named_alike_is_itself(title: str, seconds: float) -> None:
    match = found(song(title, seconds=seconds), song(title, seconds=seconds, name="own"))
    assert match is not None
    assert match.score == 1.0
