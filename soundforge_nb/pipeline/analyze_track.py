"""The kinds that measure: a track's mixture, and the stems of its separation."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from soundforge_nb.config import Config
from soundforge_nb.errors import SoundforgeError
from soundforge_nb.jobs.job import Completed, Discard, Job, Outcome
from soundforge_nb.jobs.kind import Context, Insert, Kind, Record
from soundforge_nb.jobs.verdict import plain_error
from soundforge_nb.library.catalog import ANALYSIS_COLUMNS
from soundforge_nb.pipeline.decoded import track_update
from soundforge_nb.pipeline.keys import ANALYSIS_VERSION, analysis_request_key, row_id
from soundforge_nb.pipeline.options import Analysis
from soundforge_nb.pipeline.outcomes import outcome_of
from soundforge_nb.pipeline.source import FILE, Source, key_of_request, source_of
from soundforge_nb.ports.analyzer import Analyzer
from soundforge_nb.ports.cold import cold_port
from soundforge_nb.ports.program import ANALYZE

#: The source of an analysis that is of the track itself.
MIXTURE = "mixture"
#: What a child measures and SQL asks for most; what else it may send goes into the whole.
MEASURED = ("tempo", "key", "energy", "spectral_centroid", "spectral_rolloff", "zero_crossing_rate")


class AnalyzeTrack(Kind):
    name = "analyze_track"
    queue = "analysis"
    max_attempts = 2
    # Its work is a child: the program that analyzes.
    runs_in = "dask_task"

    def process(self, job: Job, context: Context) -> Outcome:
        """Measure the file in a child."""
        source = source_of(job)
        try:
            answer = _analyzer(context).analyze(
                source.path,
                job.args["features"],
                duration_seconds=source.duration_seconds,
                expected=source.expected,
                owner=job.lease_id,
                on_progress=context.progress,
            )
        except SoundforgeError as error:
            return outcome_of(error)
        return Completed(
            {
                "columns": answer.columns,
                "features": answer.features,
                "curves": answer.curves,
                "audio": answer.audio,
            }
        )

    def record(self, job: Job, result: dict[str, Any], config: Config, now: datetime) -> Record:
        byte_hash = source_of(job).byte_hash
        wanted = Analysis(tuple(job.args["features"]))
        request_key = key_of_request(job, lambda: analysis_request_key(byte_hash, wanted))
        row = _row(job, _Keys(byte_hash, request_key), result, MIXTURE, None, now)
        return Record(
            result={"analysis_id": row["analysis_id"], **result["columns"]},
            inserts=(_insert(row),),
            updates=(track_update(job, result),),
        )


class AnalyzeStems(Kind):
    """Measures each stem; a child of the separation that makes them."""

    name = "analyze_stems"
    queue = "analysis"
    max_attempts = 2
    # Its work is a child: the program that analyzes.
    runs_in = "dask_task"

    def process(self, job: Job, context: Context) -> Outcome:
        stems = list(job.args.get("stems") or [])
        for parent in job.parents.values():
            stems += parent.get("stems") or []
        if not stems:
            return Discard(plain_error("There are no stems to analyze."))
        analyzer = _analyzer(context)
        measured = []
        for position, stem in enumerate(stems):

            def progress(percent: int, message: str, stem: Any = stem, position: int = position) -> None:
                context.progress((position * 100 + percent) // len(stems), f"{stem['stem']}: {message}")

            try:
                answer = analyzer.analyze(
                    stem["path"],
                    job.args["features"],
                    duration_seconds=job.args.get("duration_seconds"),
                    owner=job.lease_id,
                    on_progress=progress,
                )
            except SoundforgeError as error:
                return outcome_of(error)
            measured.append(
                {
                    "stem_id": stem["stem_id"],
                    "stem": stem["stem"],
                    "columns": answer.columns,
                    "features": answer.features,
                    "curves": answer.curves,
                }
            )
        return Completed({"stems": measured})

    def record(self, job: Job, result: dict[str, Any], config: Config, now: datetime) -> Record:
        keys = _keys_of_stems(job)
        rows = [_row(job, keys, stem, stem["stem"], stem["stem_id"], now) for stem in result["stems"]]
        return Record(
            result={"stems": {stem["stem"]: stem["columns"] for stem in result["stems"]}},
            inserts=tuple(_insert(row) for row in rows),
        )


def _analyzer(context: Context) -> Analyzer:
    port = cold_port(ANALYZE, context.config, threads=context.threads, supervisor=context.ports)
    return Analyzer(port, context.config, threads=context.threads)


@dataclass(frozen=True)
class _Keys:
    byte_hash: str
    request_key: str


def _keys_of_stems(job: Job) -> _Keys:
    """What the analysis of stems goes by: the separation that this one waited for knows the bytes."""
    for result in job.parents.values():
        found = Source(**result[FILE]).byte_hash if FILE in result else job.args["byte_hash"]
        if found != job.args["byte_hash"]:
            wanted = Analysis(tuple(job.args["features"]))
            source = f"stems of {result['request_key']}"
            return _Keys(found, analysis_request_key(found, wanted, source))
    return _Keys(job.args["byte_hash"], job.args["request_key"])


def _row(
    job: Job, keys: _Keys, measured: dict[str, Any], source: str, stem_id: str | None, now: datetime
) -> dict[str, Any]:
    return {
        "analysis_id": row_id("analysis", job.track_id, keys.request_key, source),
        "track_id": job.track_id,
        "job_id": job.job_id,
        "source": source,
        "stem_id": stem_id,
        "request_key": keys.request_key,
        "byte_hash": keys.byte_hash,
        "features": ",".join(job.args["features"]),
        **{name: measured["columns"].get(name) for name in MEASURED},
        "analysis": json.dumps(measured["features"]),
        "curves": json.dumps(measured["curves"]),
        "code_version": ANALYSIS_VERSION,
        "inserted_at": now,
    }


def _insert(row: dict[str, Any]) -> Insert:
    # Measured again it gives way: stems that were made again may differ.
    return Insert("analyses", ANALYSIS_COLUMNS, (row,), replace=True)
