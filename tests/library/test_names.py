"""A name made of any text is one path component that leads nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from soundforge_nb.library.names import safe_name


@given(st.text() | st.text(alphabet="./\\\0 -ä\n", max_size=300))
@example("..")
@example("../..")
@example("\x85..")
@example("." * 500)
@example("é" * 500)
@example("a" * 119 + " .b")
@example("con")
@example("CON.txt")
@example("\udcff")
def test_it_is_one_plain_component(text: str) -> None:
    name = safe_name(text)
    assert name
    assert name not in (".", "..")
    assert not set(name) & set('/\\\0<>:"|?*\n\r')
    assert name[0] not in ".-"
    assert name[-1] not in ". "
    assert len(name.encode("utf-8")) <= 122
    assert Path("folder", name).parent == Path("folder")
    assert name.isprintable()
    # Doing it twice changes nothing but what had to be shortened.
    assert safe_name(name) == name or len(name.encode()) > 118


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Motörhead", "Motörhead"),
        ("AC/DC", "AC DC"),
        ("", "untitled"),
        ("...", "untitled"),
        ("--help", "_--help"),
        ("nul.txt", "_nul.txt"),
        ("e\u0301", "é"),
        ("a\u200bb", "a b"),
    ],
)
def test_examples(text: str, name: str) -> None:
    assert safe_name(text) == name
