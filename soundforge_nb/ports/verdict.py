"""From what a child said and how it ended to a result or a typed error."""

from __future__ import annotations

import errno
import re
import signal
from dataclasses import dataclass
from typing import Any

from soundforge_nb.errors import (
    PortCancelled,
    PortCrashed,
    PortError,
    PortProtocolError,
    PortTimeout,
    ProgramError,
    ProgramMissing,
)
from soundforge_nb.ports.conversation import Conversation
from soundforge_nb.ports.program import Program

_MISSING = re.compile(r"No module named '?([\w.]+)")
_REINSTALL = "Install soundforge_nb again (pip install --force-reinstall soundforge_nb)."
_CRASHES = {"SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGABRT", "SIGSYS", "SIGTRAP"}


@dataclass(frozen=True)
class Ending:
    """How a child came to its end.

    Attributes
    ----------
    status : int or None
        As Popen has it: negative for a signal. None: never started or could not be killed.
    cancel_reason : str or None
    timeout_seconds : float or None
        The time it had, where that ran out.
    lingered_seconds : float or None
        How long it was waited for after its last word, where it did not end by itself.
    """

    status: int | None
    cancel_reason: str | None = None
    timeout_seconds: float | None = None
    lingered_seconds: float | None = None


def describe_exit(status: int | None) -> str:
    """An exit status in words.

    >>> describe_exit(-9)
    'was killed (SIGKILL), perhaps because memory ran out'
    >>> describe_exit(3)
    'ended with exit status 3'
    """
    if status is None:
        return "could not be ended"
    if status >= 0:
        return f"ended with exit status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        name = f"signal {-status}"
    if name == "SIGKILL":
        return f"was killed ({name}), perhaps because memory ran out"
    return f"crashed ({name})" if name in _CRASHES else f"was ended by a signal ({name})"


def judge(conversation: Conversation, ending: Ending, subject: str) -> dict[str, Any]:
    """The result, where the child gave one and ended with exit status 0.

    A child that had to be asked to end after its result still counts if it then ended with 0.

    Raises
    ------
    PortError
        In every other case, one of its subclasses.
    """
    program = f"The program {conversation.program.name}"
    fault = _fault(conversation, ending, program, subject)
    if fault is not None:
        raise fault
    if conversation.result is not None and ending.status == 0:
        return conversation.result.value
    raise _crashed(conversation, ending, program, subject)


def _fault(conversation: Conversation, ending: Ending, program: str, subject: str) -> PortError | None:
    details = _details(conversation, ending)
    failure = conversation.failure
    if ending.cancel_reason is not None:
        return PortCancelled(f"{program} was cancelled{subject}: {ending.cancel_reason}.", details=details)
    if failure is not None:
        details["retry"] = failure.retry
        if failure.wait_seconds > 0:
            details["wait_seconds"] = failure.wait_seconds
        return ProgramError(failure.message, failure.remedy, kind=failure.kind, details=details)
    if conversation.breach:
        return PortProtocolError(f"{program} {conversation.breach}{subject}.", _REINSTALL, details=details)
    if ending.timeout_seconds is not None:
        return PortTimeout(
            f"{program} ran out of time{subject}: {ending.timeout_seconds:.0f} s were not enough.",
            "Give it more time: see the settings that end in _timeout_seconds and _timeout_factor.",
            details=details,
        )
    if conversation.result is None and (module := _missing_module(conversation, ending)):
        return ProgramMissing(
            f"{program} can't start: the module {module} is missing.", _REINSTALL, details=details
        )
    return None


def _crashed(conversation: Conversation, ending: Ending, program: str, subject: str) -> PortCrashed:
    said = "although it gave a result" if conversation.result else "without a result"
    if ending.lingered_seconds is not None:
        said += f" and did not end by itself within {ending.lingered_seconds:.0f} s"
    last = conversation.stderr_tail.rstrip().rpartition("\n")[2].strip()
    message = f"{program} {describe_exit(ending.status)}{subject}, {said}{': ' + last if last else ''}."
    remedy = (
        "Run fewer jobs at once or give the machine more memory." if ending.status == -signal.SIGKILL else ""
    )
    return PortCrashed(message, remedy, details=_details(conversation, ending))


def _missing_module(conversation: Conversation, ending: Ending) -> str:
    last = conversation.stderr_tail.rstrip().rpartition("\n")[2]
    found = _MISSING.search(last) if ending.status == 1 else None
    return found[1] if found else ""


def _details(conversation: Conversation, ending: Ending) -> dict[str, Any]:
    """What an error keeps for logs and developers."""
    details: dict[str, Any] = {"program": conversation.program.name, "exit_status": ending.status}
    if conversation.stderr_tail:
        details["stderr_tail"] = conversation.stderr_tail
    return details


def not_started(program: Program, error: OSError) -> PortError:
    """The error for an interpreter that did not start."""
    details = {"program": program.name}
    missing = isinstance(error, (FileNotFoundError, NotADirectoryError, PermissionError))
    if missing or error.errno == errno.ENOEXEC:
        return ProgramMissing(
            f"The Python interpreter {program.interpreter} can't be started: {error.strerror}.",
            "Repair the environment it belongs to, or install soundforge_nb in another one.",
            details=details,
        )
    return PortCrashed(
        f"The program {program.name} can't be started: {error.strerror or error}.",
        "Run fewer jobs at once.",
        details=details,
    )
