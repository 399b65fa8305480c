"""The supervisor: order, restart of the crashed alone, a budget, and a loud end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from soundforge_nb.errors import SupervisorGaveUp
from soundforge_nb.lifecycle.supervisor import Child, Restart, Service, Supervisor
from soundforge_nb.lifecycle.telemetry import Telemetry


class Tree:
    """A supervisor of recorded services; `log` tells what happened to them, in order."""

    def __init__(self, *names: str, restart: Restart = "permanent", **options: Any) -> None:
        self.log: list[str] = []
        self.changed = asyncio.Event()
        self.start_errors: dict[str, list[Exception]] = {}
        self.now = 0.0
        self.lives: dict[str, asyncio.Future[None]] = {}
        self.supervisor = Supervisor(
            [Child(name, lambda name=name: Recorded(name, self), restart=restart) for name in names],
            monotonic=lambda: self.now,
            **options,
        )

    def note(self, entry: str) -> None:
        self.log.append(entry)
        self.changed.set()

    async def until(self, happened: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not happened():
                self.changed.clear()
                await self.changed.wait()

    async def restarted(self, name: str, times: int) -> None:
        await self.until(lambda: self.log.count(f"{name} runs") >= times + 1)

    def states(self) -> dict[str, str]:
        return {child["name"]: child["state"] for child in self.supervisor.which_children()}


class Recorded(Service):
    def __init__(self, name: str, tree: Tree) -> None:
        self.name, self.tree = name, tree

    async def start(self) -> None:
        self.tree.note(f"{self.name} starts")
        errors = self.tree.start_errors.get(self.name)
        if errors:
            raise errors.pop(0)

    async def run(self) -> None:
        self.tree.lives[self.name] = asyncio.get_running_loop().create_future()
        self.tree.note(f"{self.name} runs")
        await self.tree.lives[self.name]

    async def stop(self) -> None:
        self.tree.note(f"{self.name} stops")


def run(test: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(test())  # type: ignore[arg-type]


def test_start_in_order_and_stop_in_reverse() -> None:
    async def test() -> None:
        tree = Tree("a", "b", "c")
        await tree.supervisor.start()
        assert [entry for entry in tree.log if "starts" in entry] == ["a starts", "b starts", "c starts"]
        assert tree.supervisor.healthy
        await tree.supervisor.stop()
        assert [entry for entry in tree.log if "stops" in entry] == ["c stops", "b stops", "a stops"]
        assert set(tree.states().values()) == {"stopped"}
        assert not tree.supervisor.healthy
        await tree.supervisor.wait()

    run(test)


def test_the_crashed_child_is_restarted_alone() -> None:
    async def test() -> None:
        restarts: list[dict[str, Any]] = []
        telemetry = Telemetry()
        telemetry.attach("test", ["supervisor.restart"], lambda e, m, meta: restarts.append(dict(meta)))
        tree = Tree("a", "b", "c", telemetry=telemetry)
        await tree.supervisor.start()
        await tree.until(lambda: len(tree.lives) == 3)
        tree.log.clear()
        tree.supervisor.kill("b", ValueError("hit"))
        await tree.restarted("b", 0)
        assert tree.log == ["b stops", "b starts", "b runs"]
        assert tree.supervisor.healthy
        b = tree.supervisor.which_children()[1]
        assert (b["restarts"], b["last_reason"]) == (1, "ValueError('hit')")
        assert restarts == [{"child": "b", "reason": "ValueError('hit')"}]
        await tree.supervisor.stop()

    run(test)


@pytest.mark.parametrize("end", ["raises", "returns", "cancelled"])
def test_a_permanent_child_is_restarted_however_it_ended(end: str) -> None:
    async def test() -> None:
        tree = Tree("a")
        await tree.supervisor.start()
        await tree.restarted("a", 0)
        life = tree.lives["a"]
        if end == "raises":
            life.set_exception(RuntimeError("crash"))
        elif end == "returns":
            life.set_result(None)
        else:
            # What it waited for was cancelled by somebody: no reason to leave a dead child as running.
            life.cancel()
        await tree.restarted("a", 1)
        assert tree.states() == {"a": "running"}
        await tree.supervisor.stop()

    run(test)


@pytest.mark.parametrize(
    ("restart", "crashes", "comes_back"),
    [("transient", True, True), ("transient", False, False), ("temporary", True, False)],
)
def test_transient_and_temporary_children(restart: Restart, crashes: bool, comes_back: bool) -> None:
    async def test() -> None:
        tree = Tree("a", restart=restart)
        await tree.supervisor.start()
        await tree.restarted("a", 0)
        if crashes:
            tree.supervisor.kill("a")
        else:
            tree.lives["a"].set_result(None)
        await tree.until(lambda: tree.log.count("a stops") == 1)
        if comes_back:
            await tree.restarted("a", 1)
        async with asyncio.timeout(10):
            while tree.states() == {"a": "restarting"}:
                await asyncio.sleep(0)
        assert tree.states() == {"a": "running" if comes_back else "stopped"}
        assert tree.supervisor.healthy
        await tree.supervisor.stop()

    run(test)


def test_beyond_the_budget_it_gives_up_loudly_and_stops_in_reverse() -> None:
    async def test() -> None:
        tree = Tree("a", "b", "c")
        await tree.supervisor.start()
        for times in range(4):
            await tree.restarted("b", times)
            mark = len(tree.log)
            tree.supervisor.kill("b", ValueError(f"hit {times}"))
        with pytest.raises(SupervisorGaveUp, match=r"service b crashed more than 3 times.*hit 3"):
            await tree.supervisor.wait()
        assert tree.log[mark:] == ["b stops", "c stops", "a stops"]
        assert set(tree.states().values()) == {"stopped"}

    run(test)


def test_crashes_far_apart_are_within_the_budget() -> None:
    async def test() -> None:
        tree = Tree("a")
        await tree.supervisor.start()
        for times in range(8):
            await tree.restarted("a", times)
            tree.now += 2.0
            tree.supervisor.kill("a")
        await tree.restarted("a", 8)
        assert tree.supervisor.healthy
        await tree.supervisor.stop()

    run(test)


def test_two_that_give_up_at_once_end_as_one() -> None:
    async def test() -> None:
        tree = Tree("a", "b", max_restarts=0)
        await tree.supervisor.start()
        await tree.until(lambda: len(tree.lives) == 2)
        tree.supervisor.kill("a")
        tree.supervisor.kill("b")
        async with asyncio.timeout(10):
            with pytest.raises(SupervisorGaveUp):
                await tree.supervisor.wait()
            await tree.supervisor.stop()
        assert sorted(entry for entry in tree.log if "stops" in entry) == ["a stops", "b stops"]

    run(test)


def test_a_restart_that_fails_is_tried_again_within_the_budget() -> None:
    async def test() -> None:
        tree = Tree("a")
        await tree.supervisor.start()
        await tree.restarted("a", 0)
        tree.start_errors["a"] = [OSError("not yet"), OSError("not yet")]
        tree.supervisor.kill("a")
        await tree.restarted("a", 1)
        assert tree.supervisor.which_children()[0]["restarts"] == 3
        await tree.supervisor.stop()

    run(test)


def test_a_failing_start_stops_those_before_it_and_raises_its_error() -> None:
    async def test() -> None:
        tree = Tree("a", "b", "c")
        tree.start_errors["b"] = [OSError("no room")]
        with pytest.raises(OSError, match="no room"):
            await tree.supervisor.start()
        assert [entry for entry in tree.log if entry != "a runs"] == [
            "a starts",
            "b starts",
            "b stops",
            "a stops",
        ]

    run(test)


def test_a_child_that_does_not_stop_is_left_behind_in_time() -> None:
    class Stuck(Service):
        async def stop(self) -> None:
            await asyncio.Event().wait()

    async def test() -> None:
        supervisor = Supervisor([Child("stuck", Stuck, shutdown_seconds=0.01)])
        await supervisor.start()
        async with asyncio.timeout(10):
            await supervisor.stop()
        assert supervisor.which_children()[0]["state"] == "stopped"

    run(test)


def test_a_stop_during_a_restart_lets_go_of_what_was_half_started() -> None:
    async def test() -> None:
        log: list[str] = []
        second_start = asyncio.Event()

        class Slow(Service):
            async def start(self) -> None:
                log.append("starts")
                if log.count("starts") == 2:
                    second_start.set()
                    await asyncio.Event().wait()

            async def stop(self) -> None:
                log.append("stops")

        supervisor = Supervisor([Child("slow", Slow)])
        await supervisor.start()
        supervisor.kill("slow")
        await second_start.wait()
        await supervisor.stop()
        assert log == ["starts", "stops", "starts", "stops"]

    run(test)


def test_a_child_that_swallows_a_cancel_is_told_again() -> None:
    """In Python 3.11 `asyncio.wait_for` swallows a cancel that comes together with what it waits for."""
    lives: list[int] = []

    class Deaf(Service):
        async def run(self) -> None:
            lives.append(len(lives))
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
            await asyncio.Event().wait()

    async def live() -> None:
        supervisor = Supervisor([Child("deaf", Deaf)])
        await supervisor.start()
        await asyncio.sleep(0)
        async with asyncio.timeout(10):
            supervisor.kill("deaf")
            while len(lives) < 2:
                await asyncio.sleep(0.01)
            await supervisor.stop()

    asyncio.run(live())
    assert lives == [0, 1]
