"""Telemetry hears of dashboards that come and go, once each."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from soundforge_nb.application.api import Api
from soundforge_nb.application.dashboard_api import VIEWER_SECONDS
from soundforge_nb.lifecycle.clock import ManualClock


def test_each_comes_once_and_goes_once(started: Callable[..., Any]) -> None:
    heard: list[str] = []

    def note(event: str, measurements: Mapping[str, float], metadata: Mapping[str, Any]) -> None:
        heard.append(event)

    async def live() -> None:
        clock = ManualClock()
        application = await started(clock=clock)
        application.telemetry.attach("test", ["dashboard.connect", "dashboard.close"], note)
        api = Api(application, lambda seconds: None)
        try:
            for viewer in ("a", "b", "a", None):
                await api.dashboard(viewer)
            clock.advance(VIEWER_SECONDS / 2)
            await api.dashboard("a")
            clock.advance(VIEWER_SECONDS)
            await api.dashboard("a")
        finally:
            api.close()
            await application.stop()

    asyncio.run(live())
    assert heard == ["dashboard.connect", "dashboard.connect", "dashboard.close"]
