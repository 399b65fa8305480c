"""What a notebook is given of a live view."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from soundforge_nb.dashboards.feed import Feed


class LiveView(Protocol):
    """A widget with a feed."""

    feed: Feed

    def _repr_mimebundle_(self) -> Any: ...


def live_bundle(view: LiveView, alone: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a notebook shows of a view, with what stands alone where no kernel lives."""
    view.feed.expect()
    made = view._repr_mimebundle_()
    data, metadata = made if isinstance(made, tuple) else (made or {}, {})
    return dict(data) | dict(alone), dict(metadata)
