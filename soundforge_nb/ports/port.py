"""A port: one child process a call, one call at a time, and always an answer."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from soundforge_nb.errors import SoundforgeError, UsageError
from soundforge_nb.ports.child import Child
from soundforge_nb.ports.conversation import Conversation, OnProgress
from soundforge_nb.ports.environment import clean
from soundforge_nb.ports.follow import Patience, follow
from soundforge_nb.ports.program import Program
from soundforge_nb.ports.protocol import encode_request
from soundforge_nb.ports.supervisor import OnEvent, PortSupervisor
from soundforge_nb.ports.verdict import judge, not_started

log = logging.getLogger(__name__)


class Caller(Protocol):
    """What the clients of programs need of a port, cold or warm."""

    def call(
        self,
        request: Mapping[str, Any],
        *,
        timeout_seconds: float,
        owner: str = "",
        on_progress: OnProgress | None = None,
    ) -> dict[str, Any]: ...


class Port:
    """Runs a program in a fresh child process for each call.

    Parameters
    ----------
    program : Program
    supervisor : PortSupervisor, optional
        Lists the child and can end it; a private one by default.
    environment : mapping, optional
        The child's whole environment; by default this process' own without its secrets.
    terminate_grace_seconds, cancel_grace_seconds, exit_seconds : float
        From TERM to KILL after a timeout and after a cancel; from the last word to the exit.
    on_event : callable, optional
        Instead of the supervisor's. Called with (name, measurements, metadata) for ``port.start`` and then
        exactly one of ``port.stop`` and ``port.exception``.
    """

    def __init__(
        self,
        program: Program,
        *,
        supervisor: PortSupervisor | None = None,
        environment: Mapping[str, str] | None = None,
        terminate_grace_seconds: float = 5.0,
        cancel_grace_seconds: float = 1.0,
        exit_seconds: float = 5.0,
        on_event: OnEvent | None = None,
    ) -> None:
        self.program = program
        self._supervisor = supervisor or PortSupervisor(grace_seconds=terminate_grace_seconds)
        self._environment = clean() if environment is None else dict(environment)
        self._patience = Patience(terminate_grace_seconds, cancel_grace_seconds, exit_seconds)
        self._on_event = on_event or self._supervisor.on_event
        self._busy = threading.Lock()
        self._child: Child | None = None

    def call(
        self,
        request: Mapping[str, Any],
        *,
        timeout_seconds: float,
        owner: str = "",
        on_progress: OnProgress | None = None,
    ) -> dict[str, Any]:
        """Send one request to a new child and wait for its result.

        Whatever ends the call, an interrupt included, the child and all it started are gone after it.

        Parameters
        ----------
        request : mapping
            JSON values; a ``path`` in it is named in errors.
        timeout_seconds : float
            From the start of the child to its last word.
        owner : str
            Whose work this is (a job's id with its lease): what `PortSupervisor.cancel` goes by.
        on_progress : callable, optional
            Called in this thread with (percent, message) when they change; detached if it raises.
            It must return soon: while it runs nobody hears the child, or kills one that is deaf to TERM.

        Raises
        ------
        ProgramMissing, ProgramError, PortCrashed, PortTimeout, PortCancelled, PortProtocolError
            See `soundforge_nb.errors`.
        UsageError
            The request is not JSON, or this port is in the middle of another call.
        """
        try:
            line = encode_request(dict(request))
        except (TypeError, ValueError) as error:
            raise UsageError(f"The request to {self.program.name} is not JSON: {error}.") from error
        if not self._busy.acquire(blocking=False):
            raise UsageError(f"This port of {self.program.name} is busy.", "Use one port a call.")
        try:
            self._child = child = Child(self.program, self._environment, owner)
            conversation = Conversation(self.program, on_progress)
            subject = f" on {request['path']}" if request.get("path") else ""
            with self._span(child, conversation):
                return self._converse(child, conversation, line, timeout_seconds, subject)
        finally:
            self._child = None
            self._busy.release()

    def cancel(self, reason: str) -> bool:
        """End the call that runs now, from another thread; False where none does."""
        child = self._child
        return child is not None and child.cancel(reason)

    def _converse(
        self, child: Child, conversation: Conversation, line: bytes, timeout_seconds: float, subject: str
    ) -> dict[str, Any]:
        with self._supervisor.watch(child):
            try:
                child.start()
                ending = follow(child, conversation, line, timeout_seconds, self._patience)
            except OSError as error:
                if child.pid is not None:
                    raise
                raise not_started(self.program, error) from error
            finally:
                child.close()
        return judge(conversation, ending, subject)

    @contextmanager
    def _span(self, child: Child, conversation: Conversation) -> Iterator[None]:
        metadata: dict[str, Any] = {"program": self.program.name, "owner": child.owner}
        self._emit("port.start", {}, metadata)
        try:
            yield
        except BaseException as error:
            kind = error.kind if isinstance(error, SoundforgeError) else "interrupted"
            fault = {"error": type(error).__name__, "kind": kind, "pid": child.pid}
            self._emit("port.exception", {"duration_seconds": child.age_seconds}, metadata | fault)
            raise
        measurements = {"duration_seconds": child.age_seconds}
        if conversation.hello_time is not None:
            measurements["start_seconds"] = conversation.hello_time - child.born
        self._emit("port.stop", measurements, metadata | {"pid": child.pid})

    def _emit(self, name: str, measurements: dict[str, float], metadata: dict[str, Any]) -> None:
        if self._on_event is None:
            return
        try:
            self._on_event(name, measurements, metadata)
        except Exception:
            log.exception("The event handler of %s raised and is detached.", self.program.name)
            self._on_event = None
