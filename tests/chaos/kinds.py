"""Kinds whose every run and every record leaves a trace that can be counted."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Any

import soundforge_nb as sf
from soundforge_nb.jobs.kind import Insert, Record
from soundforge_nb.lifecycle.identifiers import new_id

SETTINGS = {"name": "VARCHAR", "value": "JSON"}
MARK = "mark:"


class Trace(sf.Kind):
    """Writes down that it began, before all else; what it records is one row, with a name of its own."""

    name, queue, runs_in = "trace", "analysis", "dask_task"
    max_attempts = 3

    def process(self, job: sf.Job, context: sf.Context) -> Any:
        line = f"{job.job_id} {job.lease_id} {job.attempt}\n".encode()
        # One write of a short line to a file opened for appending is whole, whoever else writes.
        descriptor = os.open(starts_file(context.config.data_folder), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        try:
            os.write(descriptor, line)
        finally:
            os.close(descriptor)
        return sf.Completed({"attempt": job.attempt})

    def record(self, job: sf.Job, result: dict[str, Any], config: Any, now: datetime) -> Record:
        row = {"name": f"{MARK}{job.job_id}:{new_id()}", "value": "1"}
        return Record(result=result, inserts=(Insert("settings", SETTINGS, (row,)),))

    def backoff_seconds(self, attempt: int) -> float:
        return 0.05


class Brief(Trace):
    """The same in chunks, and it records nothing beside its result: its end goes by the journal alone."""

    name = "brief"
    chunk = 8

    def record(self, job: sf.Job, result: dict[str, Any], config: Any, now: datetime) -> Record:
        return Record(result=result)


def starts_file(data_folder: Path) -> Path:
    return data_folder / "starts.txt"
