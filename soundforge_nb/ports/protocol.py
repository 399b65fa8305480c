"""What a port and its child say to each other: one JSON object a line.

The port writes one *request* line to the child's stdin and then keeps stdin open; when it closes, the
child ends. The child answers on stdout::

    {"type": "hello", "program": "analyze", "protocol": 1, "version": "0.1.0"}
    {"type": "progress", "percent": 30, "message": "Separating"}
    {"type": "result", "value": {...}}                                  # then exit status 0
    {"type": "error", "kind": "not_audio", "message": "...", "remedy": "...", "retry": false}   # then 1

stderr is the log. A line that is none of these is logged and survived.
Used by both sides, so it imports nothing but the standard library.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

PROTOCOL = 1
#: A child's line may hold a whole analysis with its curves, never an hour of samples.
MAX_LINE_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Hello:
    program: str
    version: str
    protocol: int = PROTOCOL


@dataclass(frozen=True)
class Progress:
    percent: int
    message: str = ""


@dataclass(frozen=True)
class Result:
    value: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Failure:
    """An error the program reports itself.

    `retry` says whether another try may help, `wait_seconds` after what time where that is known.
    """

    kind: str
    message: str
    remedy: str = ""
    retry: bool = False
    wait_seconds: float = 0.0


Message = Hello | Progress | Result | Failure

_TYPES: dict[str, type[Any]] = {
    "hello": Hello,
    "progress": Progress,
    "result": Result,
    "error": Failure,
}
_NAMES = {cls: name for name, cls in _TYPES.items()}
_FIELDS: dict[type[Any], dict[str, type[Any]]] = {
    Hello: {"program": str, "version": str, "protocol": int},
    Progress: {"percent": int, "message": str},
    Result: {"value": dict},
    Failure: {"kind": str, "message": str, "remedy": str, "retry": bool, "wait_seconds": float},
}
_VITAL: dict[type[Any], str] = {
    Hello: "protocol",
    Progress: "percent",
    Result: "value",
    Failure: "message",
}


def encode(message: Message) -> bytes:
    r"""One line of the protocol, newline included.

    Raises
    ------
    ValueError
        A NaN or an infinity is in the message: JSON has none.

    >>> encode(Progress(30, "Separating"))
    b'{"type": "progress", "percent": 30, "message": "Separating"}\n'
    """
    body = {"type": _NAMES[type(message)], **asdict(message)}
    return json.dumps(body, allow_nan=False).encode() + b"\n"


def encode_request(request: dict[str, Any]) -> bytes:
    """The request line a port writes to its child's stdin."""
    return json.dumps(request, allow_nan=False).encode() + b"\n"


def decode_request(line: bytes) -> dict[str, Any]:
    """Read a request line.

    Raises
    ------
    ValueError
        It is not a JSON object.
    """
    value = json.loads(line)
    if not isinstance(value, dict):
        raise ValueError("a request is one JSON object")
    return value


def decode(line: bytes) -> Message | None:
    """Read one line of a child; None where it is not of the protocol.

    >>> decode(b'{"type": "progress", "percent": 250}')
    Progress(percent=100, message='')
    >>> decode(b"Downloading: 10%") is None
    True
    """
    if not line.lstrip().startswith(b"{"):  # a flood of noise must be cheap to read past
        return None
    try:
        body = json.loads(line)
        cls = _TYPES[body.pop("type")]
        known = {key: body[key] for key in _FIELDS[cls] if key in body}
        if cls is Progress:
            known["percent"] = max(0, min(100, int(known["percent"])))
        # What has a default for the writer must still stand in the line.
        if _VITAL[cls] not in known:
            return None
        if not all(isinstance(value, _FIELDS[cls][key]) for key, value in known.items()):
            return None
        message: Message = cls(**known)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        return None
    return message


class LineBuffer:
    r"""Cuts a byte stream that arrives in any pieces into whole lines.

    >>> buffer = LineBuffer()
    >>> buffer.feed(b'{"type": "pro'), buffer.feed(b'gress"}\n{'), buffer.rest
    ([], [b'{"type": "progress"}'], b'{')
    """

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size_bytes = 0

    @property
    def rest(self) -> bytes:
        """What stands after the last newline."""
        return b"".join(self._pieces)

    def feed(self, data: bytes) -> list[bytes]:
        """Add `data`, give back the lines that are whole now, without their newlines.

        Raises
        ------
        OverflowError
            A line grows beyond `MAX_LINE_BYTES`.
        """
        *lines, rest = data.split(b"\n")
        if lines:
            lines[0] = self.rest + lines[0]
            self._pieces, self._size_bytes = [], 0
        self._pieces.append(rest)
        self._size_bytes += len(rest)
        if self._size_bytes > MAX_LINE_BYTES:
            raise OverflowError(f"a line of more than {MAX_LINE_BYTES} bytes")
        return lines
