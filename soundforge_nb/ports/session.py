"""The processes of one session: a child and whatever it started itself.

Each child leads a session. Its members are found by session rather than by process group, because a
grandchild may have opened a group of its own. While the leader is not reaped, its number can't be
given to anybody else, so all signals are sent before the reaping.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress

import psutil

#: Killed processes are gone within a moment; only one stuck in the kernel outlasts this.
_GONE_SECONDS = 1.0
_PAUSE_SECONDS = 0.005


def members(leader: int) -> Iterator[psutil.Process]:
    """The live processes of the session that `leader` leads, itself included."""
    for pid in psutil.pids():
        with suppress(OSError, psutil.Error):
            if os.getsid(pid) == leader:
                process = psutil.Process(pid)
                if process.status() != psutil.STATUS_ZOMBIE:
                    yield process


def memory_bytes(leader: int) -> int:
    """Resident memory of a session; what its processes share counts for each of them."""
    total = 0
    for process in members(leader):
        with suppress(psutil.Error):
            total += process.memory_info().rss
    return total


def send(leader: int, number: signal.Signals) -> None:
    """Signal the whole group of an unreaped leader."""
    # macOS answers EPERM where only zombies are left.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, number)


def kill(leader: int) -> int:
    """Kill every process of an unreaped leader's session; gives back how many stood beside it."""
    killed: set[int] = set()
    give_up = time.monotonic() + _GONE_SECONDS
    while True:
        # Again and again: one that forks while we look leaves a new one behind.
        rest = [process for process in members(leader) if process.pid != leader]
        send(leader, signal.SIGKILL)
        for process in rest:
            killed.add(process.pid)
            with suppress(psutil.Error):
                process.kill()
        if not rest or time.monotonic() > give_up:
            return len(killed)
        time.sleep(_PAUSE_SECONDS)
