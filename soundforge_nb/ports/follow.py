"""Sees a started child to its end: its own, or the one it has earned."""

from __future__ import annotations

import time
from dataclasses import dataclass

from soundforge_nb.ports.child import Child
from soundforge_nb.ports.conversation import Conversation
from soundforge_nb.ports.pump import Pump
from soundforge_nb.ports.verdict import Ending

#: What a child that is over left in its pipes is read in no time; only a runaway still holds them open.
_DRAIN_SECONDS = 1.0


@dataclass(frozen=True)
class Patience:
    """How long a child is waited for.

    Attributes
    ----------
    terminate_grace_seconds : float
        From TERM to KILL, for one that ran out of time.
    cancel_grace_seconds : float
        The same, for one that is cancelled or whose caller was interrupted.
    exit_seconds : float
        From the last word to the exit, before it is ended.
    """

    terminate_grace_seconds: float = 5.0
    cancel_grace_seconds: float = 1.0
    exit_seconds: float = 5.0


def follow(
    child: Child, conversation: Conversation, request: bytes, timeout_seconds: float, patience: Patience
) -> Ending:
    """Send the request, listen until the child has ended or must be, and reap it."""
    if child.process is None:  # cancelled before its start
        return Ending(None, child.settle())
    with Pump(child, request, conversation.take_output, conversation.take_log) as pump:
        try:
            ran_out, lingered = _listen(child, conversation, pump, timeout_seconds, patience)
        except BaseException:
            _end_soon(child, pump, patience)
            raise
        reason = child.settle()
        status = child.finish()
        pump.drain(time.monotonic() + _DRAIN_SECONDS)
        conversation.take_rest()
    return Ending(
        status, reason, timeout_seconds if ran_out else None, patience.exit_seconds if lingered else None
    )


def _listen(
    child: Child, conversation: Conversation, pump: Pump, timeout_seconds: float, patience: Patience
) -> tuple[bool, bool]:
    """Give back whether it ran out of time, and whether it lingered after its last word."""

    def cancelled() -> bool:
        return child.cancel_reason is not None

    def over() -> bool:
        return conversation.over or cancelled()

    ran_out = lingered = False
    exited = pump.run(time.monotonic() + timeout_seconds, over)
    if not exited and not over():
        ran_out = True
    elif not exited and not conversation.breach:
        exited = pump.run(time.monotonic() + patience.exit_seconds, cancelled)
        lingered = not exited and not cancelled()
    if ran_out or lingered:
        child.tell()
        exited = pump.run(time.monotonic() + patience.terminate_grace_seconds, cancelled)
    if not exited and (cancelled() or conversation.breach):
        _end_soon(child, pump, patience)
    return ran_out, lingered


def _end_soon(child: Child, pump: Pump, patience: Patience) -> None:
    # TERM and a short grace; the KILL comes with the reaping.
    child.tell()
    pump.run(time.monotonic() + patience.cancel_grace_seconds)
