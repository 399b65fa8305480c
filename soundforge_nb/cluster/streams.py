"""What a Dask worker and the application say to each other of running jobs.

The messages travel on Dask's own stream between scheduler and Dask worker: in order, several in one packet,
and lost only together with the Dask worker, whose death is noticed. A call and its answer would cost four
times as much.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from soundforge_nb.jobs.job import Job

STARTED = "soundforge_started"
MAY_START = "soundforge_may_start"
PROGRESS = "soundforge_progress"
ALIVE = "soundforge_alive"
ENDED = "soundforge_ended"
PORT = "soundforge_port"

#: A lease, its outcome as JSON, and whether it left a staging folder.
End = tuple[str, str, bool]

#: Ends that are no outcome of the job: its start was held back, or its Dask worker is going.
REFUSED = {"outcome": "refused"}
INTERRUPTED = {"outcome": "interrupted"}

_MESSAGE_CHARACTERS = 500


def started(jobs: Sequence[Job], dask_worker: str, host: str) -> dict[str, Any]:
    """These are about to begin, one after the other; the first waits for `may_start`."""
    pairs = [(job.job_id, job.lease_id) for job in jobs]
    return {"op": STARTED, "jobs": pairs, "dask_worker": dask_worker, "host": host}


def may_start(lease_id: str, attempts: dict[str, int]) -> dict[str, Any]:
    """What the first of them, by its lease, waits for: starts that are committed, as these attempts.

    A lease that is not among them must not begin.
    """
    return {"op": MAY_START, "lease_id": lease_id, "attempts": attempts}


def progress(lease_id: str, percent: int, message: str) -> dict[str, Any]:
    return {
        "op": PROGRESS,
        "lease_id": lease_id,
        "percent": percent,
        "message": message[:_MESSAGE_CHARACTERS],
    }


def alive(lease_ids: list[str], pulse: int) -> dict[str, Any]:
    """The Dask worker is there, and these leases are still worked on; the number says when that was."""
    return {"op": ALIVE, "lease_ids": lease_ids, "pulse": pulse}


def port(event: str, measurements: dict[str, float], metadata: dict[str, Any]) -> dict[str, Any]:
    """Something happened to a port: ``port.start``, ``port.stop`` or ``port.exception``."""
    return {"op": PORT, "event": event, "measurements": measurements, "metadata": metadata}


def ended(ends: Sequence[End]) -> dict[str, Any]:
    """How runs ended."""
    return {"op": ENDED, "ends": ends}


def end(lease_id: str, outcome: dict[str, Any], staged: bool) -> End:
    """How a run ended, and whether it left a staging folder."""
    return lease_id, json.dumps(outcome), staged
