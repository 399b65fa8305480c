"""What the first child that decodes a file tells of it, written to its track."""

from __future__ import annotations

from typing import Any

from soundforge_nb.jobs.job import Job
from soundforge_nb.jobs.kind import Update
from soundforge_nb.store.statements import statement


def track_update(job: Job, result: dict[str, Any]) -> Update:
    """Fill in the track's length, rate, channels and the hash of its decoded audio."""
    audio = result.get("audio") or {}
    return Update(
        statement("library", "describe_track"),
        {
            "track_id": job.track_id,
            "duration_seconds": audio.get("duration_seconds"),
            "sample_rate_hz": audio.get("sample_rate_hz"),
            "channels": audio.get("channels"),
            "audio_hash": audio.get("decoded_hash"),
        },
    )
