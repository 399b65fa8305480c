"""The kind that takes a track apart into stems."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from soundforge_nb.config import Config
from soundforge_nb.errors import SoundforgeError
from soundforge_nb.jobs.job import Completed, Job, Outcome
from soundforge_nb.jobs.kind import Context, Insert, Kind, Move, Record
from soundforge_nb.library.catalog import STEM_COLUMNS, STEM_REQUEST_COLUMNS
from soundforge_nb.pipeline.decoded import track_update
from soundforge_nb.pipeline.keys import row_id, separation_content_key, separation_request_key
from soundforge_nb.pipeline.options import Separation, read_separation
from soundforge_nb.pipeline.outcomes import outcome_of
from soundforge_nb.pipeline.source import FILE, key_of_request, source_of
from soundforge_nb.ports.cold import cold_port
from soundforge_nb.ports.program import SEPARATE
from soundforge_nb.ports.separator import Parameters, Separator


class SeparateStems(Kind):
    name = "separate_stems"
    queue = "processing"
    max_attempts = 2
    # Its work is a child: the program that separates.
    runs_in = "dask_task"

    def wants_gpu(self, args: dict[str, Any], config: Config) -> bool:
        """One that may use a GPU goes where there is one; of "cpu" and "mps" there is one for all."""
        separation = read_separation(args["separation"])
        device = (separation.device if separation is not None else None) or config.device
        return device == "auto" or device.startswith("cuda")

    def process(self, job: Job, context: Context) -> Outcome:
        """Separate in a child, into the staging folder of this lease."""
        separation, source = _wanted(job), source_of(job)
        port = cold_port(
            SEPARATE, context.config, threads=context.threads, gpu=context.gpu, supervisor=context.ports
        )
        separator = Separator(port, context.config, threads=context.threads)
        try:
            result = separator.separate(
                source.path,
                context.staging_folder,
                _parameters(separation),
                duration_seconds=source.duration_seconds,
                expected=source.expected,
                owner=job.lease_id,
                on_progress=context.progress,
            )
        except SoundforgeError as error:
            return outcome_of(error)
        return Completed(result.answer)

    def record(self, job: Job, result: dict[str, Any], config: Config, now: datetime) -> Record:
        """Move the stems into their place and write a row for each.

        Stems that were there already, made for another request or lost and made again, give way, file
        and row alike: an encoder, or random shifts, may have given other bytes. They keep their ids.
        """
        separation, source = _wanted(job), source_of(job)
        request_key = key_of_request(job, lambda: separation_request_key(source.byte_hash, separation))
        model = result["model"]
        key = separation_content_key(source.byte_hash, separation, model["sha256"])
        folder = config.stems_folder / str(job.track_id) / key[:12]
        staging = config.staging_folder / job.lease_id
        rows, moves = [], []
        for stem in result["stems"]:
            # A name from a child, though our own: only its last part may choose a place.
            file = Path(stem["file"]).name
            if file in ("", ".."):
                raise ValueError(f"the separator named a stem's file {stem['file']!r}")
            moves.append(Move(staging / file, folder / file))
            rows.append(
                {
                    "stem_id": row_id("stem", job.track_id, key, stem["stem"]),
                    "track_id": job.track_id,
                    "job_id": job.job_id,
                    "request_key": request_key,
                    "content_key": key,
                    "byte_hash": source.byte_hash,
                    "stem": stem["stem"],
                    "path": str(folder / file),
                    "format": separation.format,
                    "size_bytes": stem["bytes"],
                    "sha256": stem["sha256"],
                    "duration_seconds": stem["duration_seconds"],
                    "sample_rate_hz": stem["sample_rate_hz"],
                    "channels": stem["channels"],
                    "peak": stem.get("peak"),
                    "rms": stem.get("rms"),
                    "envelope": json.dumps(stem["envelope"]),
                    "model": separation.model,
                    "model_sha256": model["sha256"],
                    "parameters": json.dumps(separation.as_json()),
                    "null_residual_db": result.get("null_residual_db"),
                    "code_version": result["code_version"],
                    "inserted_at": now,
                }
            )
        request = {
            "request_key": request_key,
            "track_id": job.track_id,
            "content_key": key,
        }
        return Record(
            result={
                "stems": [
                    {
                        name: row[name]
                        for name in ("stem_id", "stem", "path", "format", "sha256", "size_bytes")
                    }
                    for row in rows
                ],
                FILE: source.as_json(),
                "request_key": request_key,
                "model": model,
                "null_residual_db": result.get("null_residual_db"),
                "device": result.get("device"),
                "seconds": result.get("seconds"),
            },
            inserts=(
                Insert("stems", STEM_COLUMNS, tuple(rows), replace=True),
                Insert("stem_requests", STEM_REQUEST_COLUMNS, (request,), replace=True),
            ),
            updates=(track_update(job, result),),
            moves=tuple(moves),
        )


def _wanted(job: Job) -> Separation:
    separation = read_separation(job.args["separation"])
    assert separation is not None
    return separation


def _parameters(separation: Separation) -> Parameters:
    return Parameters(
        model=separation.model,
        model_folder=separation.model_folder,
        device=separation.device,
        shifts=separation.shifts,
        overlap=separation.overlap,
        segment_seconds=separation.segment_seconds,
        stems=separation.stems,
        two_stems=separation.two_stems,
        two_stems_method="minus" if separation.two_stems else None,
        format=separation.format,
    )
