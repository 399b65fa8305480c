"""How queues are run: paused or not, how many jobs at once. It lasts: a restart finds it as it was left."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from soundforge_nb.config import SLOTS_CEILING
from soundforge_nb.errors import UsageError
from soundforge_nb.jobs.ledger import Ledger
from soundforge_nb.store.session import Session
from soundforge_nb.store.statements import statement
from soundforge_nb.store.store import Store

_sql = partial(statement, "jobs")

Keep = Literal["keep"]
KEEP: Keep = "keep"
_PREFIX = "queue:"
_SETTING_COLUMNS = {"name": "VARCHAR", "value": "JSON"}


@dataclass(frozen=True)
class Control:
    """What a person set of one queue.

    Attributes
    ----------
    limit : int or None
        Jobs at once on one Dask worker; None: as the settings of the application say.
    global_limit : int or None
        Jobs at once on all Dask workers together; None: no such limit.
    paused : bool
        While true nothing new starts; what runs goes on.
    """

    limit: int | None = None
    global_limit: int | None = None
    paused: bool = False


def load_controls(session: Session) -> dict[str, Control]:
    """What was set, by queue."""
    rows = session.rows(_sql("queue_controls"), {"prefix": _PREFIX})
    fields = {field.name for field in dataclasses.fields(Control)}
    return {
        name.removeprefix(_PREFIX): Control(
            **{key: value for key, value in json.loads(text).items() if key in fields}
        )
        for name, text in rows
    }


def save_control(session: Session, queue: str, control: Control) -> None:
    row = {"name": _PREFIX + queue, "value": json.dumps(dataclasses.asdict(control))}
    session.insert("settings", _SETTING_COLUMNS, [row], replace=True)


class Controls:
    """The queues' controls: durable in the store, in force in the ledger."""

    def __init__(
        self,
        ledger: Ledger,
        store: Callable[[], Store],
        *,
        changed: Callable[[str], None],
        limits_changed: Callable[[Mapping[str, int]], Awaitable[None]],
    ) -> None:
        self._ledger = ledger
        self._defaults = dict(ledger.limits)
        self._store = store
        self._changed = changed
        self._limits_changed = limits_changed
        self._controls = dict.fromkeys(self._defaults, Control())

    def __getitem__(self, queue: str) -> Control:
        return self._controls[queue]

    def as_json(self, queue: str) -> dict[str, Any]:
        """A queue's control as it is in force."""
        control = self._controls[queue]
        return {
            "queue": queue,
            "limit": self._ledger.limits[queue],
            "global_limit": control.global_limit,
            "paused": control.paused,
        }

    async def load(self) -> None:
        """Take up what was set before this application started."""
        found = await self._store().read("controls", load_controls)
        for queue, control in found.items():
            # A queue of before that is no more has nothing to be run.
            if queue in self._controls:
                self._enforce(queue, control)
        if found:
            await self._limits_changed(self._ledger.limits)

    async def pause(self, queue: str) -> bool:
        """Start nothing new in a queue; False where it was paused already."""
        return await self._set(queue, dataclasses.replace(self._known(queue), paused=True))

    async def resume(self, queue: str) -> bool:
        """Let a queue go on; False where it was not paused."""
        return await self._set(queue, dataclasses.replace(self._known(queue), paused=False))

    async def scale(
        self, queue: str, limit: int | Keep | None = KEEP, global_limit: int | Keep | None = KEEP
    ) -> bool:
        """Set how many jobs of a queue run at once: on one Dask worker, and on all together.

        What is `KEEP` stays as it is; None is what the settings say.

        Raises
        ------
        UsageError
            A limit is no size, or all queues together outgrow a Dask worker's threads.
        """
        before = self._known(queue)
        limit = before.limit if limit == KEEP else limit
        global_limit = before.global_limit if global_limit == KEEP else global_limit
        for name, value in (("limit", limit), ("global limit", global_limit)):
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
                raise UsageError(f"The {name} of the queue {queue} can't be {value!r}.", "Give 0 or more.")
        wanted = self._defaults[queue] if limit is None else limit
        total = sum(self._ledger.limits.values()) - self._ledger.limits[queue] + wanted
        if total > SLOTS_CEILING:
            raise UsageError(
                f"With {wanted} jobs at once in {queue} all queues together would have {total} slots; "
                f"a Dask worker has {SLOTS_CEILING} threads.",
                f"Give {wanted - (total - SLOTS_CEILING)} or fewer, or scale another queue down first.",
            )
        return await self._set(queue, Control(limit, global_limit, before.paused))

    def _known(self, queue: str) -> Control:
        if queue not in self._controls:
            raise UsageError(
                f"There is no queue named {queue!r}.", f"Known: {', '.join(sorted(self._controls))}."
            )
        return self._controls[queue]

    async def _set(self, queue: str, control: Control) -> bool:
        if control == self._controls[queue]:
            return False
        await self._store().write("control", lambda session: save_control(session, queue, control))
        before = self._ledger.limits[queue]
        self._enforce(queue, control)
        if self._ledger.limits[queue] != before:
            await self._limits_changed(self._ledger.limits)
        self._changed(queue)
        return True

    def _enforce(self, queue: str, control: Control) -> None:
        self._controls[queue] = control
        self._ledger.limits[queue] = self._defaults[queue] if control.limit is None else control.limit
        self._ledger.global_limits[queue] = control.global_limit
        self._ledger.paused[queue] = control.paused
