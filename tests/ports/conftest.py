"""Ports on real, tiny children, and the count of what they leave behind."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from soundforge_nb.ports.environment import clean
from soundforge_nb.ports.port import Port
from soundforge_nb.ports.program import Program
from soundforge_nb.ports.supervisor import PortSupervisor

CHILDREN = Program("children", "children")
#: Longer than anything here takes on a busy machine; nothing waits for it unless it is broken.
PATIENCE_SECONDS = 30.0

PortFactory = Callable[..., Port]


def cold(**options: Any) -> Port:
    environment = clean() | {"PYTHONPATH": str(Path(__file__).parent)}
    options = {"terminate_grace_seconds": 0.5, "cancel_grace_seconds": 0.3, "exit_seconds": 0.3} | options
    return Port(options.pop("program", CHILDREN), **({"environment": environment} | options))


@pytest.fixture(params=[pytest.param(cold, id="cold")])
def port_factory(request: pytest.FixtureRequest) -> PortFactory:
    """Makes a port; each kind of port is one parameter and must pass the whole contract."""
    factory: PortFactory = request.param
    return factory


@pytest.fixture
def supervisor() -> Iterator[PortSupervisor]:
    made = PortSupervisor(grace_seconds=0.5)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    """No test may leave a process (zombies included), a descriptor or a thread of its own."""
    fds = open_fds()
    yield
    left = psutil.Process().children(recursive=True)
    assert left == []
    assert open_fds() == fds


def open_fds() -> int:
    return psutil.Process().num_fds()


@pytest.fixture
def background() -> type[Background]:
    """Calls a port in another thread."""
    return Background


@pytest.fixture
def gone() -> Callable[..., None]:
    """Waits until no process of these runs."""
    return await_gone


class Background:
    """One call of a port in a thread of its own, and what came of it."""

    def __init__(self, port: Port, request: dict[str, Any], **options: Any) -> None:
        self.progressed = threading.Event()
        self.message = ""
        self.outcome: Any = None
        options = {"timeout_seconds": PATIENCE_SECONDS} | options
        self._thread = threading.Thread(target=self._run, args=(port, request, options))
        self._thread.start()

    def _run(self, port: Port, request: dict[str, Any], options: dict[str, Any]) -> None:
        try:
            self.outcome = port.call(request, on_progress=self._on_progress, **options)
        except BaseException as error:
            self.outcome = error
        self.progressed.set()

    def _on_progress(self, percent: int, message: str) -> None:
        self.message = message
        self.progressed.set()

    def running(self) -> Background:
        """Wait until the child does its work."""
        assert self.progressed.wait(PATIENCE_SECONDS)
        return self

    def over(self) -> Any:
        """Wait for the end; the result or the error."""
        self._thread.join(PATIENCE_SECONDS)
        assert not self._thread.is_alive()
        return self.outcome


def await_gone(*pids: int, seconds: float = 10.0) -> None:
    """Wait until no process of these runs; a zombie that a stranger has yet to reap counts as gone."""
    deadline = time.monotonic() + seconds
    while alive := [pid for pid in pids if _runs(pid)]:
        assert time.monotonic() < deadline, f"{alive} outlived their work"
        os.sched_yield()


def _runs(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False
