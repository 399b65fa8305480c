"""Every error this package raises on purpose, in one tree.

::

    SoundforgeError
    ├── UsageError            a call, an option or a parameter is wrong
    │   └── ConfigError       a setting in a file, the environment or an argument is wrong
    ├── InputError            a file a person named can't be used (its `kind` says why)
    │   └── LinkError         a link can't be taken, or what it leads to is no music
    ├── SpotifyError          Spotify could not be asked, or did not answer (its `kind` says why)
    ├── DownloadError         a link is right, but its audio could not be had (its `kind` says why)
    ├── DiskError             the disk is full, or a folder on it can't be written
    ├── ModelUnavailable      a separation model's weights can't be had
    ├── PortError             a child process went wrong
    │   ├── ProgramMissing    the interpreter or the program can't be started
    │   ├── ProgramError      the program ran and reported an error itself
    │   ├── PortCrashed       the program ended without a result (exit status or signal)
    │   ├── PortTimeout       the program ran out of time and was ended
    │   ├── PortCancelled     somebody asked for the end of the program
    │   └── PortProtocolError the program said something that is not the protocol
    ├── JobError
    │   ├── ForbiddenTransition  a job can't go from this state to that one
    │   ├── UnknownKind          no kind of job has this name here
    │   ├── JobNotFound          no job, batch or track has this id
    │   └── BatchFailed          a batch has ended, and some of its inputs failed
    ├── StoreError            the database can't be opened or written
    │   ├── StoreLocked       another process has it open
    │   └── StoreNewer        it was written by a newer version
    ├── QueryError            a query of the user's own was refused, failed or outgrew its bounds
    ├── SupervisorGaveUp      a service of the application crashed more often than it may
    └── ConnectError
        ├── StartFailed       the application did not start
        ├── NoApplication     nobody serves this data folder or address
        ├── ConnectionLost    the application went away or did not answer in time
        ├── VersionMismatch   client and application are of different versions
        └── AccessRefused     the application did not accept our key

Each message names the thing, what is wrong, and what to do about it.
An error travels between processes as JSON: see `SoundforgeError.as_json` and `from_json`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class SoundforgeError(Exception):
    """Base of all errors of this package.

    Parameters
    ----------
    message : str
        One sentence that names the thing and what is wrong with it.
    remedy : str
        What the person can do about it; may be empty.
    kind : str, optional
        A short machine-readable word, where one class stands for several faults.
    details : mapping, optional
        What a log or a developer wants beyond the sentence, as JSON values: exit status, tail of the
        log. A boolean under ``retry`` is the fault's own word on `retryable`.
    """

    default_kind: ClassVar[str] = "error"
    #: Whether trying the same thing again may help.
    retryable: bool = False

    def __init__(
        self,
        message: str,
        remedy: str = "",
        *,
        kind: str | None = None,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message, remedy)
        self.message = message
        self.remedy = remedy
        self.kind = kind or self.default_kind
        self.details = dict(details or {})
        # Only the one who met the fault knows whether it passes: it may overrule its class.
        if "retry" in self.details:
            self.retryable = bool(self.details["retry"])

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".strip()

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.message, self.remedy, self.kind, self.details)

    def as_json(self) -> dict[str, Any]:
        """The error as a JSON object: class, kind, message, remedy, details."""
        return {
            "error": type(self).__name__,
            "kind": self.kind,
            "message": self.message,
            "remedy": self.remedy,
            "details": self.details,
        }

    def _render_traceback_(self) -> list[str]:
        # IPython asks an exception for this before it draws a traceback:
        # a person's mistake ends in a sentence, in a notebook too.
        return [f"{type(self).__name__}: {self}"]


def _rebuild(
    cls: type[SoundforgeError], message: str, remedy: str, kind: str, details: dict[str, Any]
) -> SoundforgeError:
    return cls(message, remedy, kind=kind, details=details)


class UsageError(SoundforgeError):
    default_kind = "usage"


class ConfigError(UsageError):
    default_kind = "config"


class InputError(SoundforgeError):
    default_kind = "input"


class LinkError(InputError):
    default_kind = "link"


class DownloadError(SoundforgeError):
    default_kind = "download"


class SpotifyError(SoundforgeError):
    default_kind = "spotify"


class DiskError(SoundforgeError):
    default_kind = "disk"


class ModelUnavailable(SoundforgeError):
    default_kind = "model_unavailable"


class PortError(SoundforgeError):
    default_kind = "port"

    @property
    def stderr_tail(self) -> str:
        """The last lines of the child's log, or nothing."""
        return str(self.details.get("stderr_tail", ""))


class ProgramMissing(PortError):
    default_kind = "program_missing"


class ProgramError(PortError):
    default_kind = "program"


class PortCrashed(PortError):
    default_kind = "crashed"
    retryable = True


class PortTimeout(PortError):
    default_kind = "timeout"
    retryable = True


class PortCancelled(PortError):
    default_kind = "cancelled"


class PortProtocolError(PortError):
    default_kind = "protocol"
    retryable = True


class JobError(SoundforgeError):
    default_kind = "job"


class ForbiddenTransition(JobError):
    default_kind = "forbidden_transition"


class UnknownKind(JobError):
    default_kind = "unknown_kind"


class JobNotFound(JobError):
    default_kind = "not_found"


class BatchFailed(JobError):
    default_kind = "batch_failed"


class StoreError(SoundforgeError):
    default_kind = "store"


class StoreLocked(StoreError):
    default_kind = "store_locked"


class StoreNewer(StoreError):
    default_kind = "store_newer"


class QueryError(SoundforgeError):
    default_kind = "query"


class SupervisorGaveUp(SoundforgeError):
    default_kind = "supervisor_gave_up"


class ConnectError(SoundforgeError):
    default_kind = "connect"


class StartFailed(ConnectError):
    default_kind = "start_failed"


class NoApplication(ConnectError):
    default_kind = "no_application"


class ConnectionLost(ConnectError):
    default_kind = "connection_lost"


class VersionMismatch(ConnectError):
    default_kind = "version_mismatch"


class AccessRefused(ConnectError):
    default_kind = "access_refused"


def _subclasses(cls: type[SoundforgeError]) -> dict[str, type[SoundforgeError]]:
    found = {cls.__name__: cls}
    for sub in cls.__subclasses__():
        found |= _subclasses(sub)
    return found


def from_json(value: Mapping[str, Any]) -> SoundforgeError:
    """Build the error that `SoundforgeError.as_json` described; unknown classes become the base.

    >>> from_json({"error": "QueryError", "message": "No.", "kind": "query", "remedy": ""})
    QueryError('No.', '')
    >>> from_json(ProgramError("No.", details={"retry": True}).as_json()).retryable
    True
    """
    details = value.get("details")
    cls = _subclasses(SoundforgeError).get(str(value.get("error")), SoundforgeError)
    return cls(
        str(value.get("message", "Unknown error.")),
        str(value.get("remedy", "")),
        kind=str(value.get("kind") or cls.default_kind),
        details=details if isinstance(details, Mapping) else None,
    )
