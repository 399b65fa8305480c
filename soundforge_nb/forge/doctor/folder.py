"""The data folder: whether it can be written, who else can look into it, and whether its keys are sound."""

from __future__ import annotations

import datetime as dt
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import psutil

from soundforge_nb.config import Config
from soundforge_nb.forge.doctor.finding import Finding, ok, problem, warning

_NETWORK_FILE_SYSTEMS = ("nfs", "cifs", "smb", "fuse.sshfs", "9p", "afs", "ceph", "lustre", "glusterfs")


def look_at_folder(config: Config) -> Iterator[Finding]:
    """The data folder and its keys."""
    folder = config.data_folder
    try:
        status = folder.stat()
    except FileNotFoundError:
        yield ok("data_folder", f"{folder} is not there yet; the first start makes it.")
        return
    except OSError as error:
        yield problem(
            "data_folder",
            f"{folder} can't be looked into: {os.strerror(error.errno or 0)}.",
            f"Mend the permissions of {folder.parent}, or name another: --data-folder.",
        )
        return
    if not stat.S_ISDIR(status.st_mode):
        yield problem(
            "data_folder", f"{folder} is no folder.", "Move it away, or name another: --data-folder."
        )
        return
    yield _access(folder, status)
    yield from _file_system(folder)
    yield from _keys(config.tls_folder)


def _access(folder: Path, status: os.stat_result) -> Finding:
    mode = stat.S_IMODE(status.st_mode)
    if status.st_uid != os.geteuid():
        return problem(
            "data_folder",
            f"{folder} belongs to another person (user {status.st_uid}).",
            "Name a folder of your own: --data-folder. Each person has an own application.",
        )
    if mode & 0o700 != 0o700 or not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return problem("data_folder", f"{folder} can't be read and written.", f"Run: chmod 700 '{folder}'")
    if mode & 0o077:
        return warning(
            "data_folder",
            f"Others can look into {folder} (its mode is {mode:04o}).",
            f"Run: chmod 700 '{folder}'",
            mode=f"{mode:04o}",
        )
    return ok("data_folder", f"{folder}, only for you", mode=f"{mode:04o}")


def _file_system(folder: Path) -> Iterator[Finding]:
    kind = file_system_of(folder)
    if kind.startswith(_NETWORK_FILE_SYSTEMS):
        yield warning(
            "file_system",
            f"{folder} is on a network disk ({kind}): locks and the library want a local one.",
            "Name a data folder on a local disk; songs and output folders may stay where they are.",
            file_system=kind,
        )


def file_system_of(folder: Path) -> str:
    """What the system calls the file system that a folder lies on; empty where it does not say."""
    mounts = {Path(entry.mountpoint): entry.fstype for entry in psutil.disk_partitions(all=True)}
    real = folder.resolve()
    return next((mounts[place] for place in (real, *real.parents) if place in mounts), "")


def _keys(folder: Path) -> Iterator[Finding]:
    again = f"Run: soundforge stop; rm -r '{folder}'. The next start makes new keys."
    if not folder.exists():
        yield ok("keys", "There are no keys yet; the first start makes them.")
        return
    wrong = list(_open_to_others(folder))
    if wrong:
        told = ", ".join(f"{path} ({mode:04o})" for path, mode in wrong)
        yield problem(
            "keys",
            f"Others can read the keys, and whoever has them can run code as you: {told}.",
            again,
            paths=[str(path) for path, _ in wrong],
        )
        return
    fault = _fault_of_pair(folder)
    if fault:
        yield problem("keys", f"The keys in {folder} can't be used: {fault}.", again)
    else:
        yield ok("keys", "The keys are sound, and only you can read them.")


def _open_to_others(folder: Path) -> Iterator[tuple[Path, int]]:
    for path in (folder, *sorted(folder.glob("*.pem"))):
        status = path.stat()
        mode = stat.S_IMODE(status.st_mode)
        if mode & 0o077 or status.st_uid != os.geteuid():
            yield path, mode


def _fault_of_pair(folder: Path) -> str:
    """What is wrong with key and certificate; nothing where they work."""
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization

    try:
        private = serialization.load_pem_private_key((folder / "key.pem").read_bytes(), None)
        certificate = x509.load_pem_x509_certificate((folder / "certificate.pem").read_bytes())
    except OSError as error:
        return f"{Path(error.filename or folder).name}: {os.strerror(error.errno or 0)}"
    except (ValueError, TypeError) as error:
        return f"they are damaged ({error})".replace("\n", " ")[:200]
    if certificate.public_key() != private.public_key():
        return "key and certificate do not belong together"
    if certificate.not_valid_after_utc < dt.datetime.now(dt.UTC):
        return f"the certificate was valid until {certificate.not_valid_after_utc:%Y-%m-%d}"
    return ""
