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
from soundforge_nb.store.faults import CLOSED, FULL


@pytest.mark.parametrize(
    ("kind", "tries"), [(FULL, 4), (CLOSED, 4), ("store", 1)], ids=["full", "closed", "refused"]
)
def test_a_batch_ends_when_the_library_takes_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, kind: str, tries: int
) -> None:
    """Who waits for it would wait for ever; but what the library refuses, it refuses again."""
    caplog.set_level(logging.CRITICAL + 1, "soundforge_nb")
    monkeypatch.setattr(application, "FINISH_AGAIN_SECONDS", 0.0)
    calls: list[str] = []

    async def finish_batch(store: Any, batch_id: str, clock: Any) -> None:
        calls.append(batch_id)
        if len(calls) < 4:
            raise StoreError("Not now.", kind=kind)

    monkeypatch.setattr(application, "finish_batch", finish_batch)
    told: list[Any] = []

    async def live() -> None:
        app = application.Application(Config(data_folder=tmp_path), Kinds([]))
        app.store = None  # type: ignore[assignment]
        app.pubsub.subscribe("batches", lambda message: told.append(message.body["state"]))
        app.engine.on_batch_finished("one")
        async with asyncio.timeout(10):
            await asyncio.gather(*app._tasks)

    asyncio.run(live())
    assert calls == ["one"] * tries
    assert told == (["finished"] if tries == 4 else [])
