"""Finding the application of a data folder, or starting it in the background."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

from soundforge_nb.cluster.discovery import (
    Whereabouts,
    living,
    make_data_folder,
    only_one,
    unwritable,
)
from soundforge_nb.config import Config
from soundforge_nb.errors import NoApplication, StartFailed

#: `soundforge serve` ends with this status where another process serves the data folder already.
ALREADY_SERVED_STATUS = 10
_POLL_SECONDS = 0.02
#: Keys, the database's log and a line of text: with less than this no start succeeds.
START_BYTES = 2_000_000


def find(config: Config) -> Whereabouts | None:
    """The living application of this data folder, or None.

    Raises
    ------
    ConnectError
        It runs on another host.
    """
    return living(config.scheduler_file, config.lock_file)


def find_or_start(config: Config) -> Whereabouts:
    """The application of this data folder, started where none lives; of those who start, one does.

    Raises
    ------
    StartFailed
        It did not come up within `start_timeout_seconds`.
    """
    found = find(config)
    if found is not None:
        return found
    make_data_folder(config.data_folder)
    until = time.monotonic() + config.start_timeout_seconds
    while time.monotonic() < until:
        with only_one(config.start_lock_file) as mine:
            if mine:
                return _started(config, until)
        # Another process is starting it; where that one dies, its lock is free again.
        time.sleep(_POLL_SECONDS)
        found = find(config)
        if found is not None:
            return found
    raise _not_up(config, "It is being started elsewhere.")


def _started(config: Config, until: float) -> Whereabouts:
    """Start the application and wait for it; only the holder of the start lock comes here."""
    found = find(config)
    if found is not None:
        return found
    process = start(config)
    status: int | None = None
    while time.monotonic() < until:
        found = find(config)
        if found is not None:
            return found
        status = process.poll()
        if status == ALREADY_SERVED_STATUS:
            # An old application is on its way out: wait, then look again.
            time.sleep(10 * _POLL_SECONDS)
            found = find(config)
            if found is not None:
                return found
            process = start(config)
        elif status is not None:
            why = _no_room(config) or _last_words(config)
            raise StartFailed(
                f"The application ended at its start (status {status}): {why}",
                f"See {log_file(config)}.",
            )
        time.sleep(_POLL_SECONDS)
    raise _not_up(config, _no_room(config) or _last_words(config))


def _not_up(config: Config, why: str) -> StartFailed:
    return StartFailed(
        f"The application did not come up within {config.start_timeout_seconds:g} s: {why}",
        f"See {log_file(config)}.",
    )


def find_running(config: Config) -> Whereabouts:
    """The application of this data folder.

    Raises
    ------
    NoApplication
        None lives.
    """
    found = find(config)
    if found is None:
        raise NoApplication(
            f"Nobody serves {config.data_folder}.", "Run: soundforge serve, or connect from a notebook."
        )
    return found


def start(config: Config) -> subprocess.Popen[bytes]:
    """Start ``soundforge serve`` in a session of its own, so that a kernel's end is not its end."""
    arguments = [sys.executable, "-m", "soundforge_nb.cli", "serve"]
    try:
        config.logs_folder.mkdir(exist_ok=True)
        log = log_file(config).open("ab")
    except OSError as error:
        raise unwritable(config.data_folder, error) from error
    with log:
        process = subprocess.Popen(
            arguments,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            cwd=config.data_folder,
            env=_environment(config),
        )
    # It may end before us: somebody must take note, or it stays as a zombie that looks alive.
    threading.Thread(target=process.wait, name="application-reaper", daemon=True).start()
    return process


def log_file(config: Config) -> Path:
    return config.logs_folder / "application.log"


def _environment(config: Config) -> dict[str, str]:
    """Hand the settings on; they may have come from arguments of `connect`."""
    environment = dict(os.environ)
    for name, value in config.as_json().items():
        if value is not None:
            environment[f"SOUNDFORGE_{name.upper()}"] = str(value)
    if config.spotify_client_secret:
        # Of the settings this one is told to nobody else.
        environment["SOUNDFORGE_SPOTIFY_CLIENT_SECRET"] = config.spotify_client_secret
    if config.kinds:
        # A person's own kinds lie beside the notebook, as often as not.
        places = [str(Path.cwd()), environment.get("PYTHONPATH", "")]
        environment["PYTHONPATH"] = os.pathsep.join(place for place in places if place)
    # The application is nobody's notebook kernel.
    for name in ("JPY_SESSION_NAME", "JPY_PARENT_PID", "MPLBACKEND"):
        environment.pop(name, None)
    return environment


def _last_words(config: Config) -> str:
    try:
        lines = log_file(config).read_text(encoding="utf-8", errors="replace").strip().splitlines()
    except OSError:
        lines = []
    return lines[-1] if lines else "it said nothing."


def _no_room(config: Config) -> str:
    """A sentence where the disk has no room to start on: then nothing could be written to the log either."""
    free = shutil.disk_usage(config.data_folder).free
    if free >= START_BYTES:
        return ""
    return (
        f"the disk of {config.data_folder} is full ({free / 1e6:.1f} MB free). Make room and connect again."
    )
