"""Servers that ask for patience: a job waits as it is told, with no attempt spent, but not for ever."""

from __future__ import annotations

from soundforge_nb.errors import SoundforgeError
from soundforge_nb.jobs.job import Discard, Job, Outcome, Snooze
from soundforge_nb.pipeline.outcomes import outcome_of

#: In an error's details: how long the server wants to be left alone.
WAIT_SECONDS = "wait_seconds"
#: Who asks for more than this is not waited for.
LONGEST_WAIT_SECONDS = 86_400.0
#: After so many waits of a job its attempts are spent as those of any other fault.
WAITS = 20


def waited_out(job: Job, error: SoundforgeError, usual_attempts: int) -> Outcome:
    """How an error ends a run: with a wait where the server named one, else as `outcome_of` says.

    Parameters
    ----------
    job : Job
    error : SoundforgeError
    usual_attempts : int
        How many attempts a job of this kind has; what this one has beyond it are waits and rescues.

    >>> from soundforge_nb.errors import DownloadError
    >>> busy = DownloadError("Busy.", details={"retry": True, "wait_seconds": 30.0})
    >>> waited_out(Job("j", "k", "q", {}, 1, 3, "l"), busy, 3)
    Snooze(seconds=30.0, reason='Busy.')
    """
    seconds = error.details.get(WAIT_SECONDS)
    if not isinstance(seconds, (int, float)) or not seconds > 0:
        return outcome_of(error)
    if seconds > LONGEST_WAIT_SECONDS:
        remedy = f"It asks for a wait of {seconds / 3600:.0f} hours: try again then."
        return Discard({**error.as_json(), "remedy": remedy})
    if job.max_attempts - usual_attempts - job.rescues >= WAITS:
        return outcome_of(error)
    return Snooze(float(seconds), error.message)
