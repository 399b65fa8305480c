"""A connection that breaks while it is made, or used, is a lost one, whatever the error is called."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from soundforge_nb.cluster.connection import Connection
from soundforge_nb.errors import ConnectionLost


class Breaks:
    """A Dask client whose every call ends in the same way."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def sync(self, *args: Any, **kwargs: Any) -> Any:
        raise self.error


@pytest.mark.parametrize(
    "error",
    [
        ValueError("IOStream is not idle; cannot convert to SSL"),
        OSError("gone"),
        AttributeError("'NoneType' object has no attribute 'send'"),
        KeyError("a stream that was closed"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_it_is_said_in_one_sentence(error: Exception) -> None:
    connection = Connection.__new__(Connection)
    connection._client = Breaks(error)
    connection._timeout_seconds, connection._closed, connection._lock = 1.0, False, threading.Lock()
    with pytest.raises(ConnectionLost, match=f"was lost \\({type(error).__name__}\\)"):
        connection.call("status")
