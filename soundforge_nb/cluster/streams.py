"""What a Dask worker and the application say to each other of running jobs.

The messages travel on Dask's own stream between scheduler and Dask worker: in order, several in one packet,
and lost only together with the Dask worker, whose death is noticed. A call and its answer would cost four
times as much.
"""

from __future__ import annotations

import json
from typing import Any

STARTED = "soundforge_started"
MAY_START = "soundforge_may_start"
PROGRESS = "soundforge_progress"
ALIVE = "soundforge_alive"
ENDED = "soundforge_ended"
PORT = "soundforge_port"

#: Ends that are no outcome of the job: its start was held back, or its Dask worker is going.
REFUSED = {"outcome": "refused"}
INTERRUPTED = {"outcome": "interrupted"}

_MESSAGE_CHARACTERS = 500


def started(job_id: str, lease_id: str, dask_worker: str, host: str) -> dict[str, Any]:
    """A job is about to begin; it waits for `may_start`."""
    return {"op": STARTED, "job_id": job_id, "lease_id": lease_id, "dask_worker": dask_worker, "host": host}


def may_start(lease_id: str, attempt: int | None) -> dict[str, Any]:
    """Its start is committed as this attempt; with None it must not begin."""
    return {"op": MAY_START, "lease_id": lease_id, "attempt": attempt}


def progress(lease_id: str, percent: int, message: str) -> dict[str, Any]:
    return {
        "op": PROGRESS,
        "lease_id": lease_id,
        "percent": percent,
        "message": message[:_MESSAGE_CHARACTERS],
    }


def alive(lease_ids: list[str]) -> dict[str, Any]:
    """The Dask worker is there, and these leases are still worked on."""
    return {"op": ALIVE, "lease_ids": lease_ids}


def port(event: str, measurements: dict[str, float], metadata: dict[str, Any]) -> dict[str, Any]:
    """Something happened to a port: ``port.start``, ``port.stop`` or ``port.exception``."""
    return {"op": PORT, "event": event, "measurements": measurements, "metadata": metadata}


def ended(lease_id: str, outcome: dict[str, Any], staged: bool) -> dict[str, Any]:
    """How a run ended, and whether it left a staging folder."""
    return {"op": ENDED, "lease_id": lease_id, "outcome": json.dumps(outcome), "staged": staged}
