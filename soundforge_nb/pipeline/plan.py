"""From tracks and wishes to jobs: what exists is reused, what is under way is joined, the rest is new."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from soundforge_nb.errors import InputError
from soundforge_nb.jobs.batches import BatchInput
from soundforge_nb.jobs.job import NewJob
from soundforge_nb.library.links import placeholder
from soundforge_nb.library.spotify_lists import MARK
from soundforge_nb.pipeline.download_track import download_key
from soundforge_nb.pipeline.keys import analysis_request_key, separation_request_key
from soundforge_nb.pipeline.kinds import ANALYZE_STEMS, ANALYZE_TRACK, DOWNLOAD_TRACK, SEPARATE_STEMS
from soundforge_nb.pipeline.options import Analysis, Separation

#: The steps of a track's way, as an account names them.
DOWNLOAD, SEPARATE, ANALYZE, ANALYZE_STEMS_STEP = "download", "separate", "analyze", "analyze_stems"


@dataclass(frozen=True)
class Wishes:
    """What is wanted of every track of a batch."""

    separation: Separation | None = None
    analysis: Analysis | None = None
    stem_analysis: Analysis | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "separate": self.separation.as_json() if self.separation else None,
            "analyze": self.analysis.as_json() if self.analysis else None,
            "analyze_stems": self.stem_analysis.as_json() if self.stem_analysis else None,
        }


@dataclass(frozen=True)
class Keys:
    """The request keys of one track's steps; None where the step is not wanted."""

    separate: str | None
    analyze: str | None
    analyze_stems: str | None
    download: str | None = None


@dataclass(frozen=True)
class Known:
    """What the library holds and what is under way, by request key."""

    stems: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    analyses: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    pending: dict[str, str] = field(default_factory=dict)


@dataclass
class Plan:
    jobs: list[NewJob] = field(default_factory=list)
    inputs: list[BatchInput] = field(default_factory=list)


def keys_of(track: dict[str, Any], wishes: Wishes) -> Keys:
    """The request keys of a track's steps."""
    byte_hash = track["byte_hash"]
    separate = separation_request_key(byte_hash, wishes.separation) if wishes.separation else None
    analyze = analysis_request_key(byte_hash, wishes.analysis) if wishes.analysis else None
    stems = None
    if wishes.stem_analysis and separate:
        stems = analysis_request_key(byte_hash, wishes.stem_analysis, f"stems of {separate}")
    # Only what is not here has to be fetched.
    mark = track.get("link_mark") if track["path"] is None else None
    if mark and mark.startswith(MARK) and not track.get("is_looked_for"):
        # Spotify tells of music, it does not give it.
        mark = None
    return Keys(separate, analyze, stems, download_key(mark) if mark else None)


def plan(tracks: Sequence[tuple[str, dict[str, Any]]], wishes: Wishes, known: Known, batch_id: str) -> Plan:
    """Plan a batch.

    Parameters
    ----------
    tracks : sequence of (name, track)
        As the person named it, and its row in the library.
    wishes : Wishes
    known : Known
        Stems whose files are gone do not belong in it.
    batch_id : str

    Returns
    -------
    Plan
        New jobs, and one account row for each step of each track.
    """
    result = Plan()
    under_way = dict(known.pending)
    for position, (name, track) in enumerate(tracks):
        _plan_track(result, position, name, track, wishes, known, under_way, batch_id)
    return result


def _plan_track(
    result: Plan,
    position: int,
    name: str,
    track: dict[str, Any],
    wishes: Wishes,
    known: Known,
    under_way: dict[str, str],
    batch_id: str,
) -> None:
    keys = keys_of(track, wishes)

    def step(
        step_name: str,
        key: str | None,
        exists: bool,
        kind: Any,
        args: dict[str, Any],
        parents: tuple[str, ...] = (),
    ) -> str | None:
        """Account for one step; returns the job that does it, or None where nothing is to be done."""
        if key is None:
            return None
        job_id = None if exists else under_way.get(key)
        from_elsewhere = bool(parents) or kind is DOWNLOAD_TRACK or bool(args.get("stems"))
        if not exists and job_id is None and track["path"] is None and not from_elsewhere:
            gone = _nothing_to_work_on(track)
            result.inputs.append(
                BatchInput(position, name, track["track_id"], step_name, error=gone.as_json())
            )
            return None
        if not exists and job_id is None:
            job = kind.new(
                {**_file_args(track), **args, "request_key": key},
                batch_id=batch_id,
                track_id=track["track_id"],
                unique_key=key,
                parents=parents,
                meta={"name": name, "title": _title(track)},
            )
            result.jobs.append(job)
            job_id = under_way[key] = job.job_id
        result.inputs.append(BatchInput(position, name, track["track_id"], step_name, job_id, reused=exists))
        return job_id

    wanted = wishes.separation.as_json() if wishes.separation else {}
    has_stems, is_analyzed = keys.separate in known.stems, keys.analyze in known.analyses
    # What was made of it before its file was lost needs no file.
    needs_file = (keys.separate and not has_stems) or (keys.analyze and not is_analyzed)
    file_args = {"link": track.get("link"), "mark": track.get("link_mark"), "title": _title(track)}
    download_id = step(DOWNLOAD, keys.download if needs_file else None, False, DOWNLOAD_TRACK, file_args)
    after = (download_id,) if download_id else ()
    separate_id = step(SEPARATE, keys.separate, has_stems, SEPARATE_STEMS, {"separation": wanted}, after)
    features = wishes.analysis.as_json() if wishes.analysis else {}
    step(ANALYZE, keys.analyze, is_analyzed, ANALYZE_TRACK, features, after)
    stem_args: dict[str, Any] = wishes.stem_analysis.as_json() if wishes.stem_analysis else {}
    stem_args["stems"] = [
        {"stem_id": row["stem_id"], "stem": row["stem"], "path": row["path"]}
        for row in known.stems.get(keys.separate or "", [])
    ]
    step(
        ANALYZE_STEMS_STEP,
        keys.analyze_stems,
        has_stems and keys.analyze_stems in known.analyses,
        ANALYZE_STEMS,
        stem_args,
        (separate_id,) if separate_id else (),
    )


def _is_told_of(track: dict[str, Any]) -> bool:
    """Whether a track is known from Spotify alone: its words expire, so they go into no row of a job's."""
    return str(track["byte_hash"]).startswith(placeholder(MARK))


def _title(track: dict[str, Any]) -> str:
    return str(track["link_mark"] if _is_told_of(track) else track["title"])


def _nothing_to_work_on(track: dict[str, Any]) -> InputError:
    """Why a track has no file."""
    if _is_told_of(track):
        return InputError(
            f"{track['link']} is known from Spotify, which gives no audio; no file of yours is it.",
            "Add your own file of it, tagged with title and artist; or, where you have the right to copy it, "
            'pip install "soundforge_nb[download]" and set downloads = "allowed".',
            kind="no_audio",
        )
    # Its path holds other bytes by now.
    return InputError(
        f"The file of {track['title']} is gone or has become another.", "Add it again.", kind="not_found"
    )


def _file_args(track: dict[str, Any]) -> dict[str, Any]:
    return {
        "path": track["path"],
        "byte_hash": track["byte_hash"],
        "duration_seconds": None if _is_told_of(track) else track["duration_seconds"],
        "expected": {"size_bytes": track["size_bytes"], "mtime_ns": track["mtime_ns"]},
    }


def files_are_there(rows: Sequence[dict[str, Any]]) -> bool:
    """Whether every stem's file still stands, as long as it was."""
    for row in rows:
        try:
            if Path(row["path"]).stat().st_size != row["size_bytes"]:
                return False
        except OSError:
            return False
    return True
