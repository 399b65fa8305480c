"""Pruner: forgets jobs that ended long ago, so that history has bounds. Nothing unfinished is touched.

A batch goes as a whole, when it is finished and old enough: until then its jobs stay, whatever their age,
for they are its account. A job stays as long as one that had waited for it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from soundforge_nb.config import Config
from soundforge_nb.errors import StoreError
from soundforge_nb.jobs.states import FINISHED, State
from soundforge_nb.lifecycle.clock import Clock
from soundforge_nb.lifecycle.supervisor import Service
from soundforge_nb.store.session import Session
from soundforge_nb.store.statements import statement
from soundforge_nb.store.store import Store

log = logging.getLogger(__name__)

_sql = partial(statement, "jobs")

PRUNE_SECONDS = 300.0
#: How many jobs one transaction forgets: what waits behind it waits milliseconds.
STEP = 5_000


class Pruner(Service):
    def __init__(
        self,
        config: Config,
        clock: Clock,
        store: Callable[[], Store],
        pruned: Callable[[], None] = lambda: None,
    ) -> None:
        self._config = config
        self._clock = clock
        self._store = store
        self._pruned = pruned

    async def run(self) -> None:
        while True:
            # A start has better things to do first.
            await asyncio.sleep(PRUNE_SECONDS)
            try:
                await self.prune()
            except StoreError as error:
                # The store's own crash is the supervisor's to see to; what is old stays old.
                log.warning("the history could not be pruned: %s", error)

    async def prune(self) -> int:
        """Forget what is beyond the limits; returns how many jobs that were."""
        pruned = 0
        for state in sorted(FINISHED):
            before = await self._store().read("prune", partial(self._before, state=state))
            if before is None:
                continue
            while True:
                step = await self._store().write("prune", partial(_prune, state=state, before=before))
                pruned += step
                # Those that had waited go first: with them gone their parents may go too.
                if not step:
                    break
        if pruned:
            self._pruned()
            log.info("%s jobs of long ago were forgotten", pruned)
        return pruned

    def _before(self, session: Session, state: State) -> datetime | None:
        """What ended before this time may go; None where everything stays."""
        limits = []
        if self._config.prune_after_days:
            limits.append(self._clock.now() - timedelta(days=self._config.prune_after_days))
        if self._config.prune_keep_jobs:
            wanted = {"state": state.value, "keep": self._config.prune_keep_jobs - 1}
            if (row := session.one(_sql("oldest_kept"), wanted)) is not None:
                limits.append(row[0])
        return max(limits, default=None)


def _prune(session: Session, state: State, before: datetime) -> int:
    if state is State.COMPLETED:
        session.execute(_sql("prune_inputs"), {"before": before})
        session.execute(_sql("prune_batches"), {"before": before})
    wanted = {"state": state.value, "before": before, "most": STEP}
    job_ids = [row[0] for row in session.rows(_sql("to_prune"), wanted)]
    if job_ids:
        for name in ("prune_attempts", "prune_parents", "prune_jobs"):
            session.execute(_sql(name), {"job_ids": job_ids})
    return len(job_ids)
