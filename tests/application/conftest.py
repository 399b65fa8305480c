"""An application whose dispatch runs nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from soundforge_nb.application.application import Application
from soundforge_nb.config import Config
from soundforge_nb.jobs.kind import Kinds


class NoDispatch:
    def submit(self, claims: object) -> None: ...

    async def cancel(self, lease: object, reason: str) -> None: ...

    async def set_limits(self, limits: object) -> None: ...


@pytest.fixture
def started(tmp_path: Path) -> Callable[..., Any]:
    """Starts an application on the test's folder; the test stops it."""

    async def start(**parts: Any) -> Application:
        application = Application(Config(data_folder=tmp_path), Kinds([]), **parts)
        await application.start(NoDispatch())
        return application

    return start
