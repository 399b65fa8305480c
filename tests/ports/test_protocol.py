"""The lines of the protocol, in any pieces, of any kind of rubbish."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundforge_nb.ports import protocol
from soundforge_nb.ports.protocol import Failure, Hello, LineBuffer, Progress, Result, decode, encode

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
messages = st.one_of(
    st.builds(Hello, st.text(), st.text(), st.integers()),
    st.builds(Progress, st.integers(0, 100), st.text()),
    st.builds(Result, st.dictionaries(st.text(), json_values, max_size=3)),
    st.builds(Failure, st.text(), st.text(), st.text(), st.booleans()),
)


@given(st.lists(messages, max_size=4), st.lists(st.integers(0, 300), max_size=6))
def test_what_is_said_is_heard_however_the_bytes_arrive(said, cuts):
    stream = b"".join(encode(message) for message in said)
    places = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    buffer = LineBuffer()
    heard = [decode(line) for begin, end in pairwise(places) for line in buffer.feed(stream[begin:end])]
    assert heard == said
    assert buffer.rest == b""


@given(st.binary() | json_values.map(lambda value: repr(value).encode()))
def test_rubbish_is_nothing_and_raises_nothing(line):
    assert decode(line) is None


@pytest.mark.parametrize(
    "line",
    [
        b'{"type": "hello", "program": "x", "version": "1"}',
        b'{"type": "hello", "program": 1, "version": "1", "protocol": 1}',
        b'{"type": "hello", "program": "x", "version": "1", "protocol": "1"}',
        b'{"type": "progress"}',
        b'{"type": "progress", "percent": Infinity}',
        b'{"type": "progress", "percent": 1, "message": null}',
        b'{"type": "result"}',
        b'{"type": "result", "value": [1]}',
        b'{"type": "error", "kind": "x", "message": null}',
        b'{"type": ["result"], "value": {}}',
    ],
)
def test_a_message_with_a_part_missing_or_of_another_type_is_none(line):
    assert decode(line) is None


def test_what_a_later_version_adds_is_passed_over():
    assert decode(b'{"type": "progress", "percent": 7, "mood": "good"}') == Progress(7)


def test_a_line_may_grow_to_its_bound_and_no_further(monkeypatch):
    monkeypatch.setattr(protocol, "MAX_LINE_BYTES", 10)
    buffer = LineBuffer()
    assert buffer.feed(b"x" * 10) == []
    with pytest.raises(OverflowError):
        buffer.feed(b"x")


def test_a_child_that_imports_the_protocol_loads_nothing_heavy():
    code = "import sys, soundforge_nb.ports.protocol; sys.exit('psutil' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0
