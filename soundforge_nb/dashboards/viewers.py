"""Who is looking: views that say so every few seconds. Without one, nothing is sent."""

from __future__ import annotations

#: A view that was not heard for so long is gone: its page was closed, or its machine sleeps.
LEASE_SECONDS = 20.0


class Viewers:
    """The views that are there; the caller holds the lock and hands in the time."""

    def __init__(self, lease_seconds: float = LEASE_SECONDS) -> None:
        self._lease_seconds = lease_seconds
        self._heard: dict[str, float] = {}

    def heard(self, view: str, now: float) -> None:
        self._heard[view] = now

    def left(self, view: str) -> None:
        self._heard.pop(view, None)

    def renew(self, now: float) -> None:
        """Give every view that is known a full lease from now."""
        self._heard = dict.fromkeys(self._heard, now)

    def anyone(self, now: float, *, resting: bool = False) -> bool:
        """Whether somebody looks. Of a thing at rest views need not be heard: nothing is sent."""
        if not resting:
            self._heard = {view: at for view, at in self._heard.items() if now - at < self._lease_seconds}
        return bool(self._heard)
