"""A PostgreSQL server of one's own in a new folder, with its defaults (fsync and synchronous_commit on).

It listens on a socket in that folder and on no port. ``python -m tests.benchmarks.postgres FOLDER`` prints
how to reach it, and ends it and removes the folder when its stdin ends: however the benchmark dies.
"""

from __future__ import annotations

import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

_DEBIAN = Path("/usr/lib/postgresql")
_SECONDS = 60


def programs() -> Path | None:
    """The folder of PostgreSQL's server programs; Debian has them on nobody's PATH."""
    if initdb := shutil.which("initdb"):
        return Path(initdb).resolve().parent
    versions = sorted(_DEBIAN.glob("*/bin/initdb"), key=lambda found: float(found.parts[-3]))
    return versions[-1].parent if versions else None


def main(folder: str) -> None:
    # What ends the benchmark ends its stdin too; so nothing is left half done here.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    found = programs()
    if found is None:
        sys.exit("PostgreSQL's programs are not here: install Debian's package postgresql.")
    root = Path(folder)
    root.mkdir(mode=0o700)
    try:
        print(json.dumps(_start(found, root)), flush=True)
        sys.stdin.read()
    finally:
        _stop(found, root)
        shutil.rmtree(root)


def _start(found: Path, root: Path) -> dict[str, Any]:
    if os.geteuid() == 0:
        owner = _unprivileged()
        os.chown(root, owner.pw_uid, owner.pw_gid)
        root.parent.chmod(0o711)  # to be walked through, not to be read
    # Whoever reaches the socket may do all; nobody but the owner reaches into the folder.
    asked = ("--auth=trust", "--username=postgres", "--encoding=UTF8", "--no-locale")
    _run(found / "initdb", root, *asked)
    quoted = str(root).replace("'", "''")
    with (root / "data" / "postgresql.conf").open("a", encoding="utf-8") as settings:
        settings.write(f"listen_addresses = ''\nunix_socket_directories = '{quoted}'\n")
    _run(found / "pg_ctl", root, "--wait", f"--log={root / 'log'}", "start")
    pid = int((root / "data" / "postmaster.pid").read_text(encoding="utf-8").splitlines()[0])
    return {"pid": pid, "dsn": f"host='{root}' user=postgres dbname=postgres"}


def _stop(found: Path, root: Path) -> None:
    if not (root / "data" / "postmaster.pid").exists():
        return
    try:
        _run(found / "pg_ctl", root, "--wait", "--mode=fast", "stop")
    except subprocess.SubprocessError:
        _run(found / "pg_ctl", root, "--wait", "--mode=immediate", "stop")


def _run(program: Path, root: Path, *arguments: str) -> None:
    """PostgreSQL refuses to run as root."""
    drop: dict[str, Any] = {}
    if os.geteuid() == 0:
        owner = _unprivileged()
        drop = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
    done = subprocess.run(
        [program, f"--pgdata={root / 'data'}", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=root,
        timeout=_SECONDS,
        **drop,
    )
    if done.returncode:
        print(done.stdout, file=sys.stderr)
        done.check_returncode()


def _unprivileged() -> pwd.struct_passwd:
    """Debian's package makes the user postgres."""
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


if __name__ == "__main__":
    main(sys.argv[1])
