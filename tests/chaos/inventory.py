"""After a storm: what there is, counted, against what was promised."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import soundfile

import soundforge_nb as sf
from tests.chaos.kinds import MARK, starts_file
from tests.chaos.storm import Storm

#: From so many on the average holds.
MANY_KILLS = 60


def count(forge: sf.Forge, storm: Storm) -> dict[str, Any]:
    """Every figure that a crash must not change, by name."""
    return {**_of_jobs(forge, storm), **_of_starts(forge, storm), **_of_stems(forge, storm)}


def faults(found: dict[str, Any]) -> list[str]:
    """Which of them are wrong, in words."""
    wrong = [name for name in MUST_BE_NONE if found[name]]
    if found["attempts_without_a_run"] > found["most_attempts_without_a_run"]:
        wrong.append("attempts_without_a_run")
    return [f"{name}: {found[name]}" for name in wrong]


MUST_BE_NONE = (
    "lost",
    "not_completed",
    "acknowledged_twice",
    "recorded_twice_or_never",
    "runs_without_an_attempt",
    "withdrawn_that_ran",
    "stems_missing",
    "stems_doubled",
    "stem_files_missing",
    "stem_files_broken",
    "stem_files_without_a_row",
    "analyses_missing_or_doubled",
    "left_in_staging",
)


def _of_jobs(forge: sf.Forge, storm: Storm) -> dict[str, Any]:
    rows = _rows(forge, "SELECT job_id, kind, state FROM jobs")
    states = {row["job_id"]: row["state"] for row in rows}
    traces = [row["job_id"] for row in rows if row["kind"] == "trace"]
    completed = _rows(
        forge,
        "SELECT job_id FROM attempts WHERE outcome = 'completed' GROUP BY job_id HAVING count(*) <> 1",
    )
    marks = _rows(
        forge,
        "SELECT split_part(name, ':', 2) AS job_id, count(*) AS n FROM settings "
        f"WHERE starts_with(name, '{MARK}') GROUP BY ALL",
    )
    marked = {row["job_id"]: row["n"] for row in marks}
    return {
        "jobs": len(states),
        "promised": len(storm.flow.promised),
        "lost": [job_id for job_id in storm.flow.promised if job_id not in states],
        "not_completed": sorted(job_id for job_id, state in states.items() if state != "completed"),
        "acknowledged_twice": [row["job_id"] for row in completed],
        "recorded_twice_or_never": [job_id for job_id in traces if marked.get(job_id, 0) != 1],
    }


def _of_starts(forge: sf.Forge, storm: Storm) -> dict[str, Any]:
    file = starts_file(storm.folder)
    lines = file.read_text().splitlines() if file.exists() else []
    ran = {tuple(line.split()[:2]) for line in lines}
    rows = _rows(
        forge,
        "SELECT a.job_id, a.lease_id, a.outcome FROM attempts AS a JOIN jobs AS j USING (job_id)"
        " WHERE j.kind IN ('trace', 'brief')",
    )
    withdrawn = {(row["job_id"], row["lease_id"]) for row in rows if row["outcome"] == "withdrawn"}
    attempts = {(row["job_id"], row["lease_id"]) for row in rows} - withdrawn
    kills = sum(storm.kills.values())
    # A kill can cut off what each of its slots had just been allowed to begin, and mostly cuts off none: over
    # many kills there is less than one each.
    most = kills if kills >= MANY_KILLS else kills * forge.config.analysis_limit
    return {
        "runs": len(ran),
        "attempts": len(attempts),
        "withdrawn": len(withdrawn),
        "withdrawn_that_ran": sorted(withdrawn & ran),
        "runs_without_an_attempt": sorted(ran - attempts - withdrawn),
        "attempts_without_a_run": len(attempts - ran),
        "most_attempts_without_a_run": most,
    }


def _of_stems(forge: sf.Forge, storm: Storm) -> dict[str, Any]:
    separations = _rows(forge, "SELECT job_id FROM jobs WHERE kind = 'separate_stems'")
    stems = _rows(forge, "SELECT job_id, stem, path, track_id, duration_seconds FROM stems")
    by_job: dict[str, list[str]] = {}
    for row in stems:
        by_job.setdefault(row["job_id"], []).append(row["stem"])
    paths = {Path(row["path"]) for row in stems}
    files = {path for path in (storm.folder / "stems").rglob("*") if path.is_file()}
    analyses = _rows(
        forge, "SELECT track_id, count(*) AS n FROM analyses WHERE source = 'mixture' GROUP BY ALL"
    )
    staging = storm.folder / "staging"
    return {
        "separations": len(separations),
        "stems_missing": [row["job_id"] for row in separations if len(by_job.get(row["job_id"], [])) < 4],
        "stems_doubled": [job_id for job_id, names in by_job.items() if len(names) != len(set(names))],
        "stem_files_missing": sorted(map(str, paths - files)),
        "stem_files_broken": [
            row["path"]
            for row in stems
            if Path(row["path"]).exists()
            and abs(soundfile.info(row["path"]).duration - row["duration_seconds"]) > 0.001
        ],
        "stem_files_without_a_row": sorted(map(str, files - paths)),
        "analyses_missing_or_doubled": [row["track_id"] for row in analyses if row["n"] != 1],
        "left_in_staging": sorted(map(str, staging.iterdir())) if staging.exists() else [],
    }


def _rows(forge: sf.Forge, query: str) -> list[dict[str, Any]]:
    found = forge.sql(query).dicts()
    return [{key: str(v) if key.endswith("_id") else v for key, v in row.items()} for row in found]
