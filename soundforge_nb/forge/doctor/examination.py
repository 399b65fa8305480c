"""The whole examination: every check within its time, whatever else is broken."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import soundforge_nb
from soundforge_nb import config as configuration
from soundforge_nb.config import Config
from soundforge_nb.errors import SoundforgeError
from soundforge_nb.forge.doctor.application import look_at_application
from soundforge_nb.forge.doctor.finding import Finding, Level, from_error, ok, problem
from soundforge_nb.forge.doctor.folder import look_at_folder
from soundforge_nb.forge.doctor.installation import look_at_installation
from soundforge_nb.forge.doctor.library import look_at_library
from soundforge_nb.forge.doctor.machine import look_at_machine
from soundforge_nb.forge.doctor.sound import CHECK_SECONDS, look_at_codecs, look_at_models

Look = Callable[[], Iterator[Finding]]

#: A check on a dead network disk never comes back: it is given up.
LIMIT_SECONDS = 30.0
_CHILD_LIMIT_SECONDS = CHECK_SECONDS + 10.0
_RANK = {Level.OK: 0, Level.WARNING: 1, Level.PROBLEM: 2}


def examine(data_folder: str | os.PathLike[str] | None = None) -> list[Finding]:
    """Look at everything, side by side; starts no application and changes nothing. Never raises."""
    config, first = _settings(data_folder)
    examinations = [
        Examination("installation", look_at_installation, LIMIT_SECONDS),
        Examination("machine", lambda: look_at_machine(config), LIMIT_SECONDS),
        Examination("data_folder", lambda: look_at_folder(config), LIMIT_SECONDS),
        Examination("application", lambda: _application_then_library(config), LIMIT_SECONDS),
        Examination("codecs", lambda: look_at_codecs(config), _CHILD_LIMIT_SECONDS),
        Examination("models", lambda: look_at_models(config), _CHILD_LIMIT_SECONDS),
    ]
    return [first, *(finding for examination in examinations for finding in examination.findings())]


def as_json(findings: list[Finding]) -> dict[str, Any]:
    """All findings, and the worst level among them."""
    return {
        "version": soundforge_nb.__version__,
        "level": worst(findings),
        "findings": [finding.as_json() for finding in findings],
    }


def worst(findings: list[Finding]) -> Level:
    return max((finding.level for finding in findings), key=_RANK.__getitem__, default=Level.OK)


def _application_then_library(config: Config) -> Iterator[Finding]:
    # One after the other: the look into the library holds the lock that the first looks for.
    yield from look_at_application(config)
    yield from look_at_library(config)


class Examination:
    """One check in a thread of its own, begun at once; what it yields before its limit counts."""

    def __init__(self, name: str, look: Look, limit_seconds: float) -> None:
        self._name = name
        self._look = look
        self._limit_seconds = limit_seconds
        self._until = time.monotonic() + limit_seconds
        self._found: list[Finding] = []
        # A daemon: one that hangs must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name=f"doctor-{name}", daemon=True)
        self._thread.start()

    def findings(self) -> list[Finding]:
        """Wait for its end, or for its limit."""
        self._thread.join(max(0.0, self._until - time.monotonic()))
        found = list(self._found)
        if self._thread.is_alive():
            message = f"The check of {self._name} did not end within {self._limit_seconds:g} s."
            remedy = "A disk or a process may hang; look at the load and the disks, then try again."
            found.append(problem(self._name, message, remedy))
        return found

    def _run(self) -> None:
        try:
            for finding in self._look():
                self._found.append(finding)
        except SoundforgeError as error:
            self._found.append(from_error(self._name, error))
        except OSError as error:
            place = f" ({error.filename})" if error.filename else ""
            message = f"The check of {self._name} met an error: {os.strerror(error.errno or 0)}{place}."
            self._found.append(problem(self._name, message, "Mend the permissions of the data folder."))
        except Exception as error:
            message = f"The check of {self._name} failed: {type(error).__name__}: {error}"
            self._found.append(problem(self._name, message, "Please report it, with this sentence."))


def _settings(data_folder: str | os.PathLike[str] | None) -> tuple[Config, Finding]:
    """The settings; where they can't be read, the defaults of the same data folder."""
    try:
        config = configuration.load(data_folder)
        return config, ok("settings", f"The settings can be read; data folder {config.data_folder}")
    except SoundforgeError as error:
        finding = from_error("settings", error)
    except OSError as error:
        message = f"The settings can't be read: {os.strerror(error.errno or 0)} ({error.filename})."
        finding = problem("settings", message, "Mend the permissions of the data folder.")
    named = data_folder or os.environ.get("SOUNDFORGE_DATA_FOLDER")
    folder = Path(named).expanduser().absolute() if named else configuration.default_data_folder()
    return Config(folder), finding
