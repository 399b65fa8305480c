"""What a view knows of the thing it shows: a snapshot, a way to follow it, and requests; no more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol


class Followed(Protocol):
    """Whatever a feed can show. Every call may come from any thread."""

    def snapshot(self) -> dict[str, Any]:
        """How it stands now. Raises where it can't be asked."""
        ...

    def follow(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Have `listener` called whenever it may have changed; returns what ends that."""
        ...


class Source(Followed, Protocol):
    """A batch."""

    def request(self, action: str) -> Any:
        """Do what a button asks for; returns how many jobs it concerned."""
        ...


class Application(Followed, Protocol):
    """The application, as a dashboard sees it."""

    def ask(self, method: str, **arguments: Any) -> Any:
        """One call of it."""
        ...
