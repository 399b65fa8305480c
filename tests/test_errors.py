"""The error tree: drawn in full, told in one sentence, and whole after a journey."""

from __future__ import annotations

import json
import pickle
import re
from typing import Any

import pytest

from soundforge_nb import errors
from soundforge_nb.errors import (
    PortCrashed,
    PortError,
    ProgramError,
    SoundforgeError,
    StoreError,
    from_json,
)


def classes() -> list[type[SoundforgeError]]:
    return [
        value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, Exception)
    ]


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    """Each class stands under its base, at its depth."""
    assert errors.__doc__ is not None
    drawn: dict[str, str | None] = {}
    path: list[tuple[int, str]] = []
    for line in errors.__doc__.splitlines():
        match = re.match(r"\s{4}([\s│├└─]*)([A-Z]\w+)", line)
        if not match:
            continue
        depth, name = len(match[1]), match[2]
        path = [(d, n) for d, n in path if d < depth]
        drawn[name] = path[-1][1] if path else None
        path.append((depth, name))
    actual = {cls.__name__: None if cls is SoundforgeError else cls.__mro__[1].__name__ for cls in classes()}
    assert drawn == actual


@pytest.mark.parametrize("cls", classes())
def test_an_error_travels_whole(cls: type[SoundforgeError]) -> None:
    error = cls("The thing is wrong.", "Mend it.", details={"exit_status": 3})
    for back in (from_json(json.loads(json.dumps(error.as_json()))), pickle.loads(pickle.dumps(error))):
        assert type(back) is cls
        assert (back.message, back.remedy, back.kind) == (error.message, error.remedy, cls.default_kind)
        assert back.details == {"exit_status": 3}
        assert back.retryable is cls.retryable
    assert str(error) == "The thing is wrong. Mend it."


def test_a_kind_of_its_own_travels_too() -> None:
    error = StoreError("Full.", kind="disk_full")
    assert from_json(error.as_json()).kind == "disk_full"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({}, SoundforgeError("Unknown error.", kind="error")),
        ({"error": "ErrorOfTheFuture", "message": "x"}, SoundforgeError("x", kind="error")),
        ({"error": "PortError", "message": None, "details": "no mapping"}, PortError("None")),
        ({"error": "ProgramError", "message": "x", "kind": ""}, ProgramError("x")),
    ],
)
def test_what_is_not_known_becomes_the_base(value: dict[str, Any], expected: SoundforgeError) -> None:
    found = from_json(value)
    assert type(found) is type(expected)
    assert (found.message, found.kind, found.details) == (expected.message, expected.kind, {})


def test_who_met_the_fault_overrules_its_class() -> None:
    assert PortCrashed("fell").retryable
    assert not PortCrashed("fell", details={"retry": False}).retryable
    assert from_json(ProgramError("x", details={"retry": True}).as_json()).retryable
    assert not ProgramError("x").retryable


def test_a_notebook_shows_a_sentence_and_no_traceback() -> None:
    assert StoreError("Full.", "Make room.")._render_traceback_() == ["StoreError: Full. Make room."]


def test_the_tail_of_a_log_is_at_hand() -> None:
    assert PortCrashed("fell", details={"stderr_tail": "boom"}).stderr_tail == "boom"
    assert PortCrashed("fell").stderr_tail == ""
