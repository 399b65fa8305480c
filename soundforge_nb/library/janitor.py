"""Janitor: removes files that nobody needs, once they are old enough, and says what it found."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from soundforge_nb.config import Config
from soundforge_nb.errors import StoreError
from soundforge_nb.library import storage
from soundforge_nb.library.storage import Orphan, Survey, names_of
from soundforge_nb.lifecycle.supervisor import Service
from soundforge_nb.lifecycle.telemetry import Telemetry
from soundforge_nb.store.session import Session
from soundforge_nb.store.statements import statement
from soundforge_nb.store.store import Store

log = logging.getLogger(__name__)

_sql = partial(statement, "library")

LOOK_SECONDS = 6 * 3600.0
#: A start has better things to do first.
FIRST_LOOK_SECONDS = 600.0
#: More than so many orphans, and more of them than of files that rows name: then rather the library is wrong.
SUSPICIOUS_ORPHANS = 20


def named_files(session: Session) -> list[str]:
    """The paths of every file that a row names."""
    return [path for (path,) in session.rows(_sql("named_files"))]


class Janitor(Service):
    def __init__(
        self,
        config: Config,
        store: Callable[[], Store],
        leases: Callable[[], set[str]],
        telemetry: Telemetry,
        *,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        self._config = config
        self._store = store
        self._leases = leases
        self._telemetry = telemetry
        self._wall_clock = wall_clock

    async def run(self) -> None:
        await asyncio.sleep(FIRST_LOOK_SECONDS)
        while True:
            try:
                await self.tidy()
            except StoreError as error:
                # The store's own crash is the supervisor's to see to; what is old stays old.
                log.warning("nothing was tidied: %s", error)
            await asyncio.sleep(LOOK_SECONDS)

    async def tidy(self) -> dict[str, Any]:
        """What is done by itself: as `clean`, unless it looks as if the library were the wrong one."""
        found = await self.look()
        if len(found.orphans) > SUSPICIOUS_ORPHANS and len(found.orphans) > found.owned:
            log.warning(
                "%s files have no row and only %s have one: nothing is removed. See: soundforge storage",
                len(found.orphans),
                found.owned,
            )
            return {**found.as_json(), "removed": []}
        return await self._remove(found)

    async def look(self, grace_seconds: float | None = None) -> Survey:
        """Look at every file; removes nothing."""
        owned = names_of(await self._store().read("named_files", named_files))
        grace = self._config.orphan_grace_seconds if grace_seconds is None else grace_seconds
        return await asyncio.to_thread(
            storage.survey,
            self._config.data_folder,
            self._config.cache_folder,
            owned,
            self._leases(),
            now=self._wall_clock(),
            grace_seconds=grace,
        )

    async def clean(self, grace_seconds: float | None = None) -> dict[str, Any]:
        """Remove what nobody needs; returns what was found, and what is gone."""
        return await self._remove(await self.look(grace_seconds))

    async def _remove(self, found: Survey) -> dict[str, Any]:
        # Rows may have come since the survey: what they name stays.
        owned = names_of(await self._store().read("named_files", named_files))
        leases = self._leases()
        wanted = [orphan for orphan in found.orphans if not _is_leased(orphan.path, leases)]

        def remove() -> list[Orphan]:
            gone = storage.remove(wanted, self._config.data_folder, owned)
            # Here, in the thread: of a hundred thousand files it takes its time.
            for orphan in gone:
                log.info("removed %s (%s bytes): %s", orphan.path, orphan.size_bytes, orphan.reason)
            return gone

        gone = await asyncio.to_thread(remove)
        size_bytes = sum(orphan.size_bytes for orphan in gone)
        self._telemetry.execute("storage.clean", {"count": len(gone), "size_bytes": size_bytes})
        return {**found.as_json(), "removed": [orphan.path for orphan in gone]}


def _is_leased(path: str, leases: set[str]) -> bool:
    return any(f"/staging/{lease}/" in path for lease in leases)
