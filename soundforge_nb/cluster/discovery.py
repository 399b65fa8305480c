"""Who serves a data folder: `scheduler.json`, and the lock that makes it one at a time."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import psutil

import soundforge_nb
from soundforge_nb.errors import ConnectError, StartFailed, VersionMismatch

#: Of the calls between client and application; it changes when they no longer understand each other.
RPC_PROTOCOL = 1


@dataclass(frozen=True)
class Whereabouts:
    """Where an application is, and of which version; the content of `scheduler.json`.

    What another version leaves out has a default, so that its file can be read and its end asked for.
    """

    address: str
    http: str
    pid: int
    process_started: float
    host: str
    boot_id: str
    version: str
    protocol: int
    # On Linux: the start in ticks since the boot. Setting the clock, as after a sleep, does not move it.
    process_ticks: int | None = None

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
            process_ticks=_ticks(os.getpid()),
        )

    def is_alive(self) -> bool:
        """Whether its process runs on this machine; a process that got its number since is not it."""
        if self.boot_id != boot_id():
            return False
        try:
            process = psutil.Process(self.pid)
            if self.process_ticks is not None:
                same = _ticks(self.pid) == self.process_ticks
            else:
                # Clock adjustments move a process' start by fractions of a second.
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
            raise mismatch(self.version, self.protocol)


def mismatch(version: str, protocol: int) -> VersionMismatch:
    """That the application that runs and this package do not understand each other."""
    return VersionMismatch(
        f"The application that runs is version {version} (protocol {protocol}); "
        f"this is version {soundforge_nb.__version__} (protocol {RPC_PROTOCOL}).",
        "Run: soundforge restart. It lets running jobs end, and nothing is lost.",
    )


def living(scheduler_file: Path, lock_file: Path) -> Whereabouts | None:
    """Who serves a data folder, as far as one can see from here; None where nobody does.

    Raises
    ------
    ConnectError
        It is served on another host (or from another container), where this one can't look.
    """
    found = read_whereabouts(scheduler_file)
    if found is None or found.is_alive():
        return found
    if found.host == socket.gethostname():
        return None
    # One kernel, one lock: a host that was only renamed, or a container that ended, holds it no more.
    if found.boot_id == boot_id() and not is_locked(lock_file):
        return None
    raise ConnectError(
        f"This data folder is served on the host {found.host}.",
        f"Stop it there (soundforge stop), or connect to {found.address} with its keys. "
        f"Where that host is gone for good, remove {scheduler_file}.",
        kind="other_host",
    )


def _ticks(pid: int) -> int | None:
    """When a process started, in clock ticks since the boot; None where the system does not tell."""
    try:
        # The name, in parentheses, may hold anything; the 20th value behind it is the start.
        return int(Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return None


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
    known = {field.name for field in fields(Whereabouts)}
    try:
        content: Any = json.loads(file.read_text(encoding="utf-8"))
        return Whereabouts(**{key: value for key, value in content.items() if key in known})
    except (OSError, ValueError, TypeError, AttributeError):
        return None


def make_data_folder(folder: Path) -> None:
    """Make a data folder that only its person can look into; one that is there is left as it is.

    Raises
    ------
    StartFailed
        It can't be made.
    """
    try:
        if not folder.is_dir():
            folder.parent.mkdir(parents=True, exist_ok=True)
            folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise unwritable(folder, error) from error


@contextmanager
def only_one(lock_file: Path) -> Iterator[bool]:
    """Hold a lock of the data folder; yields False, at once, where another process holds it.

    Raises
    ------
    StartFailed
        The folder can't be written, or its file system knows no locks.
    """
    try:
        stream = lock_file.open("a+")
    except OSError as error:
        raise unwritable(lock_file.parent, error) from error
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        except OSError as error:
            raise StartFailed(
                f"The file system of {lock_file.parent} knows no locks: {os.strerror(error.errno or 0)}.",
                "Name a data folder on a local disk.",
                kind="no_locks",
            ) from error
        yield True


def is_locked(lock_file: Path) -> bool:
    """Whether a process holds this lock now."""
    try:
        with lock_file.open("r+") as stream:
            fcntl.flock(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def unwritable(folder: Path, error: OSError) -> StartFailed:
    """That a data folder can't be written, as a sentence."""
    return StartFailed(
        f"The data folder {folder} can't be written: {os.strerror(error.errno or 0)}.",
        "Make room or mend its permissions, or name another: connect(data_folder=…).",
        kind="data_folder",
    )
