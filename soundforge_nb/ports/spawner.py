"""Starts every child process from one thread that lasts as long as this process.

A child asks Linux to be killed when its parent dies (PDEATHSIG). Linux takes the *thread* that
started it for the parent: a child started from a thread of a pool would be killed when the pool lets
that thread go, with everything alive and well.
"""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import SimpleQueue


@dataclass(frozen=True)
class _Order:
    argv: Sequence[str]
    environment: Mapping[str, str]
    reply: Future[subprocess.Popen[bytes]] = field(default_factory=Future)


class Spawner:
    """A thread that starts processes, one after the other, each in a session of its own."""

    def __init__(self) -> None:
        self._orders: SimpleQueue[_Order] = SimpleQueue()
        threading.Thread(target=self._serve, name="soundforge-spawner", daemon=True).start()

    def spawn(self, argv: Sequence[str], environment: Mapping[str, str]) -> Future[subprocess.Popen[bytes]]:
        """Start a process; the future holds it, or the OSError that came instead.

        A future, so that a caller who is interrupted while it waits can still end what was started.
        """
        order = _Order(argv, environment)
        self._orders.put(order)
        return order.reply

    def _serve(self) -> None:
        while True:
            order = self._orders.get()
            try:
                process = subprocess.Popen(
                    order.argv,
                    bufsize=0,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    env=dict(order.environment),
                    start_new_session=True,
                    # A sibling that held our end of the child's stdin would keep EOF from it.
                    close_fds=True,
                )
            except BaseException as error:  # the thread must outlive whatever a start can raise
                order.reply.set_exception(error)
            else:
                order.reply.set_result(process)
            # The next wait may be long: it must not keep this process object alive.
            del order


_lock = threading.Lock()
_spawner: Spawner | None = None


def spawner() -> Spawner:
    """The one spawner of this process."""
    global _spawner
    with _lock:
        if _spawner is None:
            _spawner = Spawner()
        return _spawner


def _forget() -> None:
    # Threads do not survive a fork: the new process gets a spawner of its own.
    global _lock, _spawner
    _lock = threading.Lock()
    _spawner = None


os.register_at_fork(after_in_child=_forget)
