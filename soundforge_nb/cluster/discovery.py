"""Who serves a data folder: `scheduler.json`, and the lock that makes it one at a time."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

import soundforge_nb
from soundforge_nb.errors import ConnectError, VersionMismatch

#: Of the calls between client and application; it changes when they no longer understand each other.
RPC_PROTOCOL = 1


@dataclass(frozen=True)
class Whereabouts:
    """Where an application is, and of which version; the content of `scheduler.json`."""

    address: str
    http: str
    pid: int
    process_started: float
    host: str
    boot_id: str
    version: str
    protocol: int

    @classmethod
    def of_this_process(cls, address: str, http: str) -> Whereabouts:
        return cls(
            address=address,
            http=http,
            pid=os.getpid(),
            process_started=psutil.Process().create_time(),
            host=socket.gethostname(),
            boot_id=boot_id(),
            version=soundforge_nb.__version__,
            protocol=RPC_PROTOCOL,
        )

    def is_alive(self) -> bool:
        """Whether its process still runs; a process that got its number since is not it.

        Raises
        ------
        ConnectError
            It runs on another host, where this one can't look.
        """
        if self.host != socket.gethostname():
            raise ConnectError(
                f"This data folder is served on the host {self.host}.",
                f"Stop it there (soundforge stop), or connect to {self.address} with its keys.",
                kind="other_host",
            )
        if self.boot_id != boot_id():
            return False
        try:
            # Clock adjustments move a process' start by fractions of a second.
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.process_started) < 2.0
            return bool(same and process.status() != psutil.STATUS_ZOMBIE)
        except psutil.Error:
            return False

    def check_version(self) -> None:
        """Refuse an application that speaks another protocol.

        Raises
        ------
        VersionMismatch
        """
        if self.protocol != RPC_PROTOCOL:
            raise VersionMismatch(
                f"The application that runs is version {self.version} (protocol {self.protocol}); "
                f"this is version {soundforge_nb.__version__} (protocol {RPC_PROTOCOL}).",
                "Run: soundforge restart",
            )


def boot_id() -> str:
    """What tells one boot of this machine from another."""
    file = Path("/proc/sys/kernel/random/boot_id")
    if file.exists():
        return file.read_text(encoding="ascii").strip()
    return str(int(psutil.boot_time()))


def write_whereabouts(file: Path, whereabouts: Whereabouts) -> None:
    """Publish where the application is, whole or not at all."""
    temporary = file.with_name(f"{file.name}.{os.getpid()}")
    temporary.write_text(json.dumps(asdict(whereabouts), indent=2), encoding="utf-8")
    temporary.chmod(0o600)
    temporary.replace(file)


def read_whereabouts(file: Path) -> Whereabouts | None:
    """Where the application is said to be; None where nothing (or nothing sensible) is said."""
    try:
        content: Any = json.loads(file.read_text(encoding="utf-8"))
        return Whereabouts(**content)
    except (OSError, ValueError, TypeError):
        return None


def make_data_folder(folder: Path) -> None:
    """Make a data folder that only its person can look into; one that is there is left as it is."""
    if not folder.is_dir():
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)


@contextmanager
def only_one(lock_file: Path) -> Iterator[bool]:
    """Hold the data folder's lock; yields False, at once, where another process holds it."""
    with lock_file.open("a+") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
