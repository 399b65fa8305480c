"""One child process from start to reaping, and the word that ends it from another thread."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress

from soundforge_nb.ports import session
from soundforge_nb.ports.program import Program
from soundforge_nb.ports.spawner import spawner

log = logging.getLogger(__name__)

#: A killed process that is not gone by now hangs in the kernel (a dead network disk): it is left to a thread.
_REAP_SECONDS = 2.0


class Child:
    """A child process for one request.

    One thread starts, follows and finishes it; `cancel`, `kill` and the reading of its state may
    come from any thread. Its end has three steps: told (TERM), killed (the whole session), reaped.
    """

    def __init__(self, program: Program, environment: Mapping[str, str], owner: str) -> None:
        self.program = program
        self.owner = owner
        self.born = time.monotonic()
        self._environment = environment
        self._lock = threading.Lock()
        self._spawning: Future[subprocess.Popen[bytes]] | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._told = self._reaped = False
        self._settled = threading.Event()
        self._reason: str | None = None
        self._wake_out = self._wake_in = -1

    # The following thread ------------------------------------------------------------------------

    def start(self) -> None:
        """Start the process, unless it has been cancelled already.

        Raises
        ------
        OSError
            The interpreter can't be started.
        """
        with self._lock:
            if self._reason is not None:
                return
            self._wake_out, self._wake_in = os.pipe()
        self._spawning = spawner().spawn(self.program.argv, self._environment)
        self._process = self._spawning.result()

    @property
    def process(self) -> subprocess.Popen[bytes] | None:
        return self._process

    @property
    def wake_fd(self) -> int:
        """Becomes readable when the child is cancelled."""
        return self._wake_out

    def has_exited(self) -> bool:
        """Whether the process is over; it stays unreaped, so that its number stays its own."""
        if self._process is None or self._reaped:
            return True
        if not hasattr(os, "waitid"):  # macOS before Python 3.13
            return self._process.poll() is not None
        try:
            return os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:
            # SIGCHLD is ignored in this process, or a stranger waits for all children.
            return True

    def tell(self) -> None:
        """Ask the session to end (TERM), once: a second TERM would disturb one that is tidying up."""
        with self._lock:
            self._tell()

    def finish(self) -> int | None:
        """Kill what is left of the session and reap; gives back the exit status as Popen has it."""
        if self._process is None:
            return None
        left = self.kill()
        if left:
            log.warning("%s (pid %d) left %d processes behind.", self.program.name, self.pid, left)
        with self._lock:
            try:
                status = self._process.wait(_REAP_SECONDS)
            except subprocess.TimeoutExpired:
                log.error("%s (pid %d) can't be killed.", self.program.name, self.pid)
                threading.Thread(target=self._process.wait, daemon=True).start()
                return None
            finally:
                self._reaped = True
        return status

    def settle(self) -> str | None:
        """Close the door to cancellations; gives back the reason of the one that came in time."""
        with self._lock:
            self._settled.set()
            return self._reason

    def close(self) -> None:
        """End the process if it still is, and give back every descriptor. May be called again."""
        self.settle()
        if self._process is None and self._spawning is not None:
            # The caller was interrupted while it waited for the start.
            with suppress(Exception):
                self._process = self._spawning.result()
        if not self._reaped:
            self.finish()
        if self._process is not None:
            for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
                if stream is not None:
                    stream.close()
        with self._lock:
            fds, self._wake_out, self._wake_in = (self._wake_out, self._wake_in), -1, -1
        for fd in fds:
            if fd >= 0:
                os.close(fd)

    # Any thread ----------------------------------------------------------------------------------

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None else None

    @property
    def age_seconds(self) -> float:
        return time.monotonic() - self.born

    @property
    def cancel_reason(self) -> str | None:
        return self._reason

    def cancel(self, reason: str) -> bool:
        """Tell the child to end; its port kills it after a grace. False: it was over already.

        After True the call can only end as cancelled, even if the result is on its way.
        """
        if self._settled.is_set():  # asked before the lock too, which the reaping may hold for a while
            return False
        with self._lock:
            if self._settled.is_set():
                return False
            if self._reason is None:
                self._reason = reason
                if self._wake_in >= 0:
                    os.write(self._wake_in, b"c")
                self._tell()
            return True

    def kill(self) -> int:
        """Kill the whole session; gives back how many processes stood beside the leader."""
        with self._lock:
            if self._process is None or self._reaped:
                return 0
            return session.kill(self._process.pid)

    def memory_bytes(self) -> int:
        """Resident memory of the session."""
        pid = self.pid
        return 0 if pid is None or self._reaped else session.memory_bytes(pid)

    def _tell(self) -> None:
        if self._process is not None and not (self._told or self._reaped):
            self._told = True
            session.send(self._process.pid, signal.SIGTERM)
