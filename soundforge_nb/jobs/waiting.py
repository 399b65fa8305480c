"""What changes jobs that do not run: their time comes, they are cancelled, tried again, hurried."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from soundforge_nb.store.session import Session
from soundforge_nb.store.statements import statement

_sql = partial(statement, "jobs")


def stage_due(session: Session, queue: str, now: datetime) -> datetime | None:
    """Make available what is due; returns when the next job that waits for no parent will be."""
    session.execute(_sql("stage_due"), {"queue": queue, "now": now})
    row = session.one(_sql("next_due"), {"queue": queue})
    return row[0] if row else None


def cancel_followers(
    session: Session, job_ids: Sequence[str], reason: str, now: datetime
) -> list[dict[str, Any]]:
    """Cancel what waits for jobs that ended badly."""
    if not job_ids:
        return []
    return cancel_waiting(session, job_ids, {"message": reason}, now)


def cancel_waiting(
    session: Session, job_ids: Iterable[str], error: dict[str, Any], now: datetime
) -> list[dict[str, Any]]:
    """Cancel what does not run yet among these jobs and all that follows; returns it, the oldest first."""
    reason = str(error.get("message", ""))
    follower_error = {
        "error": "JobError",
        "kind": "parent_ended",
        "message": f"What it waited for did not complete: {reason}",
        "remedy": "",
    }
    rows = session.dicts(
        _sql("cancel_waiting"),
        {
            "job_ids": list(job_ids),
            "error": json.dumps(error),
            "message": reason,
            "follower_error": json.dumps(follower_error),
            "follower_message": follower_error["message"],
            "now": now,
        },
    )
    # The order of RETURNING is nobody's promise; an identifier's is: what follows was made later.
    return sorted(rows, key=lambda row: str(row["job_id"]))


def retry_jobs(
    session: Session, job_ids: Sequence[str], attempts: int, now: datetime
) -> list[dict[str, Any]]:
    """Give discarded and cancelled jobs `attempts` more attempts; returns those it applied to.

    With them go the parents that they would wait for in vain, and what was cancelled because of them.
    """
    ids = [row[0] for row in session.rows(_sql("to_retry"), {"job_ids": list(job_ids)})]
    if not ids:
        return []
    # Parents that are tried again count as not done, as they did while they were discarded.
    session.execute(_sql("reset_waits"), {"job_ids": ids})
    return session.dicts(_sql("retry"), {"job_ids": ids, "attempts": attempts, "now": now})


def run_now(session: Session, job_ids: Sequence[str], now: datetime) -> list[dict[str, Any]]:
    """Let jobs that wait for their time wait no more; returns those it applied to."""
    return session.dicts(_sql("run_now"), {"job_ids": list(job_ids), "now": now})
