"""What the application does beside its children: it ends batches, whatever the library says meanwhile."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest

from soundforge_nb.application import application
from soundforge_nb.config import Config
from soundforge_nb.errors import StoreError
from soundforge_nb.jobs.kind import Kinds
from soundforge_nb.store.store import FULL


def test_a_batch_ends_when_there_is_room_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Who waits for it would wait for ever."""
    caplog.set_level(logging.CRITICAL, "soundforge_nb")
    monkeypatch.setattr(application, "FINISH_AGAIN_SECONDS", 0.0)
    calls: list[str] = []

    async def finish_batch(store: Any, batch_id: str, clock: Any) -> None:
        calls.append(batch_id)
        if len(calls) < 4:
            raise StoreError("The disk is full.", kind=FULL)

    monkeypatch.setattr(application, "finish_batch", finish_batch)

    async def live() -> None:
        app = application.Application(Config(data_folder=tmp_path), Kinds([]))
        app.store = None  # type: ignore[assignment]
        told = asyncio.Event()
        app.pubsub.subscribe("batches", lambda message: told.set())
        app.engine.on_batch_finished("one")
        async with asyncio.timeout(10):
            await told.wait()

    asyncio.run(live())
    assert calls == ["one"] * 4
