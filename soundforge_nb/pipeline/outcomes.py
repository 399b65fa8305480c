"""How an error of a port ends a job: another try where that may help, else a sentence for good."""

from __future__ import annotations

from soundforge_nb.errors import PortCancelled, SoundforgeError
from soundforge_nb.jobs.job import Cancel, Discard, Outcome, Retry


def outcome_of(error: SoundforgeError) -> Outcome:
    """The outcome that an error means.

    >>> from soundforge_nb.errors import ProgramError
    >>> type(outcome_of(ProgramError("song.wav is not audio.", kind="not_audio"))).__name__
    'Discard'
    """
    if isinstance(error, PortCancelled):
        return Cancel(error.message)
    if error.retryable:
        return Retry(error.as_json())
    return Discard(error.as_json())
