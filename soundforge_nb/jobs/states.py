"""The states of a job and the only ways between them."""

from __future__ import annotations

from enum import StrEnum

from soundforge_nb.errors import ForbiddenTransition


class State(StrEnum):
    AVAILABLE = "available"
    SCHEDULED = "scheduled"
    EXECUTING = "executing"
    RETRYABLE = "retryable"
    COMPLETED = "completed"
    DISCARDED = "discarded"
    CANCELLED = "cancelled"


_S = State

#: From a state to those that may follow it. A job with parents is `scheduled` until they completed.
TRANSITIONS: dict[State, frozenset[State]] = {
    _S.AVAILABLE: frozenset({_S.EXECUTING, _S.CANCELLED}),
    _S.SCHEDULED: frozenset({_S.AVAILABLE, _S.CANCELLED}),
    # Back to available: rescued, because its Dask worker or the application died.
    _S.EXECUTING: frozenset(
        {_S.AVAILABLE, _S.SCHEDULED, _S.RETRYABLE, _S.COMPLETED, _S.DISCARDED, _S.CANCELLED}
    ),
    _S.RETRYABLE: frozenset({_S.AVAILABLE, _S.CANCELLED}),
    _S.COMPLETED: frozenset(),
    # A person may ask for another try; a job whose parents are tried again waits for them again.
    _S.DISCARDED: frozenset({_S.AVAILABLE}),
    _S.CANCELLED: frozenset({_S.AVAILABLE, _S.SCHEDULED}),
}

#: States in which a job still has something to do.
UNFINISHED = frozenset({_S.AVAILABLE, _S.SCHEDULED, _S.EXECUTING, _S.RETRYABLE})
FINISHED = frozenset(State) - UNFINISHED


def check_transition(before: State, after: State) -> None:
    """Refuse a way between states that does not exist.

    Raises
    ------
    ForbiddenTransition
        `after` can't follow `before`.

    >>> check_transition(State.AVAILABLE, State.EXECUTING)
    >>> check_transition(State.COMPLETED, State.EXECUTING)
    Traceback (most recent call last):
    soundforge_nb.errors.ForbiddenTransition: A completed job can't become executing.
    """
    if after not in TRANSITIONS[before]:
        raise ForbiddenTransition(f"A {before} job can't become {after}.")


def sources_of(after: State) -> list[str]:
    """The states that `after` may follow, for a statement's guard."""
    return sorted(state for state, targets in TRANSITIONS.items() if after in targets)
