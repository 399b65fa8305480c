"""What a view knows of the thing it shows: a snapshot, a way to follow it, and requests; no more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol


class Source(Protocol):
    """A batch, or whatever else a dashboard shows. Every call may come from any thread."""

    def snapshot(self) -> dict[str, Any]:
        """How it stands now. Raises where it can't be asked."""
        ...

    def follow(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Have `listener` called whenever it may have changed; returns what ends that."""
        ...

    def request(self, action: str) -> Any:
        """Do what a button asks for; returns how many jobs it concerned."""
        ...
