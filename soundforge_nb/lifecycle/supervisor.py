"""A supervisor of asyncio services: ordered start, `one_for_one` restarts within a budget, reverse stop.

After Erlang/OTP's `supervisor`: a child that crashes is restarted alone; one that crashes more than
`max_restarts` times within `max_seconds` makes the supervisor give up loudly, stopping the rest in order.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from soundforge_nb.errors import SupervisorGaveUp
from soundforge_nb.lifecycle.telemetry import Telemetry

log = logging.getLogger(__name__)

#: How often a loop is told again to end.
_CANCEL_AGAIN_SECONDS = 0.5

Restart = Literal["permanent", "transient", "temporary"]


class Service:
    """What a supervisor can keep alive.

    `start` returns when the service is ready; `run` lives until cancelled (returning means it ended
    by itself, raising means it crashed); `stop` lets go of what `start` took, however far it came.
    """

    async def start(self) -> None:
        """Get ready."""

    async def run(self) -> None:
        """Live."""
        await asyncio.Event().wait()

    async def stop(self) -> None:
        """Let go."""


@dataclass(frozen=True)
class Child:
    """How to start one service, when to restart it, and how long its end may take."""

    name: str
    factory: Callable[[], Service]
    restart: Restart = "permanent"
    shutdown_seconds: float = 5.0


@dataclass
class _Running:
    child: Child
    state: Literal["starting", "running", "restarting", "stopped"] = "stopped"
    service: Service | None = None
    task: asyncio.Task[None] | None = None
    doom: asyncio.Future[None] | None = None
    restarts: int = 0
    last_reason: str = ""
    started_monotonic: float = field(default=0.0)


class Supervisor:
    """Starts `children` in order, restarts the crashed one alone, stops in reverse order."""

    def __init__(
        self,
        children: list[Child],
        *,
        max_restarts: int = 3,
        max_seconds: float = 5.0,
        telemetry: Telemetry | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._running = {child.name: _Running(child) for child in children}
        self._max_restarts = max_restarts
        self._max_seconds = max_seconds
        self._telemetry = telemetry or Telemetry()
        self._monotonic = monotonic
        self._recent: deque[float] = deque()
        self._stop: asyncio.Task[None] | None = None
        self._gave_up: SupervisorGaveUp | None = None
        self._ended = asyncio.Event()

    async def start(self) -> None:
        """Start the children in order; where one fails, stop those before it and raise its error."""
        for running in self._running.values():
            try:
                await self._start_child(running)
            except BaseException:
                await self.stop()
                raise

    async def stop(self) -> None:
        """Stop the children in reverse order, each within its shutdown time."""
        await asyncio.shield(self._begin_stop())

    def _begin_stop(self) -> asyncio.Task[None]:
        # One stop for all who ask: two children that give up at once must not cancel each other's.
        if self._stop is None:
            self._stop = asyncio.create_task(self._stop_all(), name="supervisor-stop")
        return self._stop

    async def _stop_all(self) -> None:
        for running in reversed(self._running.values()):
            await self._stop_child(running)
        self._ended.set()

    async def wait(self) -> None:
        """Until the supervisor has stopped.

        Raises
        ------
        SupervisorGaveUp
            It stopped because a child crashed too often.
        """
        await self._ended.wait()
        if self._gave_up:
            raise self._gave_up

    def kill(self, name: str, error: BaseException | None = None) -> None:
        """Throw `error` into a child's loop, as tests do to see it restarted."""
        doom = self._running[name].doom
        if doom is not None and not doom.done():
            doom.set_exception(error or RuntimeError("killed"))

    def which_children(self) -> list[dict[str, Any]]:
        """Each child's name, state, restarts, last reason and age in seconds, in start order."""
        now = self._monotonic()
        return [
            {
                "name": name,
                "state": running.state,
                "restart": running.child.restart,
                "restarts": running.restarts,
                "last_reason": running.last_reason,
                "age_seconds": round(now - running.started_monotonic, 3)
                if running.state == "running"
                else 0.0,
            }
            for name, running in self._running.items()
        ]

    @property
    def healthy(self) -> bool:
        """Every child runs, but for those that may end by themselves and did."""
        return all(
            running.state == "running"
            or (running.state == "stopped" and running.child.restart != "permanent")
            for running in self._running.values()
        )

    async def _start_child(self, running: _Running) -> None:
        running.state = "starting"
        running.service = running.child.factory()
        await running.service.start()
        running.doom = asyncio.get_running_loop().create_future()
        running.started_monotonic = self._monotonic()
        running.state = "running"
        running.task = asyncio.create_task(self._live(running), name=f"child-{running.child.name}")

    async def _stop_child(self, running: _Running) -> None:
        task, running.task = running.task, None
        if task is not None and not task.done():
            task.cancel()
            _, late = await asyncio.wait([task], timeout=running.child.shutdown_seconds)
            if late:
                log.error("%s did not end within %g s", running.child.name, running.child.shutdown_seconds)
        await self._let_go(running)
        running.state = "stopped"

    async def _let_go(self, running: _Running) -> None:
        """Stop a child's service, once."""
        service, running.service = running.service, None
        if service is None:
            return
        try:
            async with asyncio.timeout(running.child.shutdown_seconds):
                await service.stop()
        except Exception:
            log.exception("%s did not stop cleanly", running.child.name)

    async def _live(self, running: _Running) -> None:
        """Run one child until it ends, and see to what follows."""
        while True:
            service, doom = running.service, running.doom
            assert service is not None
            assert doom is not None
            reason = await _outcome(service, doom)
            if self._stop is not None:
                return
            running.last_reason = repr(reason) if reason else "ended by itself"
            running.state = "restarting"
            await self._let_go(running)
            wanted = running.child.restart
            if wanted == "temporary" or (wanted == "transient" and reason is None):
                running.state = "stopped"
                return
            if not await self._restart(running, reason):
                return

    async def _restart(self, running: _Running, reason: BaseException | None) -> bool:
        name = running.child.name
        while self._within_budget():
            log.error("%s crashed and is restarted: %r", name, reason, exc_info=reason)
            running.restarts += 1
            self._telemetry.execute(
                "supervisor.restart", {"count": 1}, {"child": name, "reason": repr(reason)}
            )
            try:
                running.service = running.child.factory()
                await running.service.start()
            except Exception as error:
                reason = error
                running.last_reason = repr(error)
                await self._let_go(running)
                continue
            running.doom = asyncio.get_running_loop().create_future()
            running.started_monotonic = self._monotonic()
            running.state = "running"
            return True
        self._give_up(name, reason)
        return False

    def _within_budget(self) -> bool:
        now = self._monotonic()
        self._recent.append(now)
        while self._recent[0] < now - self._max_seconds:
            self._recent.popleft()
        return len(self._recent) <= self._max_restarts

    def _give_up(self, name: str, reason: BaseException | None) -> None:
        if self._stop is not None:
            return
        self._gave_up = SupervisorGaveUp(
            f"The service {name} crashed more than {self._max_restarts} times in "
            f"{self._max_seconds:g} seconds, last with {reason!r}.",
            "Everything was stopped in order; what was acknowledged is safe. See the log.",
        )
        log.critical("%s", self._gave_up)
        self._begin_stop()


async def _outcome(service: Service, doom: asyncio.Future[None]) -> BaseException | None:
    """How a service's life ended: its error, or None where it returned."""
    life = asyncio.ensure_future(service.run())
    try:
        await asyncio.wait([life, doom], return_when=asyncio.FIRST_COMPLETED)
        if life.cancelled():
            # Somebody cancelled what it waited for: no order to end, so it is a crash like any other.
            return RuntimeError("its loop was cancelled")
        if life.done():
            return life.exception()
        return doom.exception()
    finally:
        while not life.done():
            # Again, where a cancel was swallowed on its way: a child that lives on must hold up nobody.
            life.cancel()
            await asyncio.wait([life], timeout=_CANCEL_AGAIN_SECONDS)
        if not doom.done():
            doom.cancel()
