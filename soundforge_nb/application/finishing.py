"""The end of a batch: its output folder is written, then it is marked as finished."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

import soundforge_nb
from soundforge_nb.errors import SoundforgeError
from soundforge_nb.jobs import batches
from soundforge_nb.library import catalog
from soundforge_nb.library.export import TrackOutput, export_batch
from soundforge_nb.lifecycle.clock import Clock
from soundforge_nb.pipeline import account
from soundforge_nb.pipeline.options import read_analysis, read_separation
from soundforge_nb.pipeline.plan import Wishes, keys_of
from soundforge_nb.store.session import Session
from soundforge_nb.store.store import Store

log = logging.getLogger(__name__)

#: Of `manifest.json`; it changes when a field changes its meaning or goes.
MANIFEST_SCHEMA = 1
#: The packages that decide what a result is.
_PACKAGES = (
    "demucs",
    "torch",
    "librosa",
    "numpy",
    "scipy",
    "soundfile",
    "soxr",
    "av",
    "duckdb",
    "distributed",
)
_MEASURED = ("tempo", "key", "energy", "spectral_centroid", "spectral_rolloff", "zero_crossing_rate")


async def finish_batch(store: Store, batch_id: str, clock: Clock) -> None:
    """Write a batch's output folder, if it has one, and mark it; doing it twice does no harm."""
    batch = await store.read("batch", lambda session: batches.get_batch(session, batch_id))
    if batch is None or batch["state"] != "running":
        return
    error = None
    if batch["output_folder"]:
        rows, tracks = await store.read(
            "batch_outputs", lambda session: _outputs(session, batch_id, batch["options"])
        )
        try:
            await asyncio.to_thread(
                export_batch, Path(batch["output_folder"]), tracks, _manifest(batch, rows, tracks)
            )
        except SoundforgeError as fault:
            error = fault.as_json()
        except Exception as fault:
            # A batch always ends: its stems are safe in the library, and who waits for it must hear so.
            log.exception("the output folder of batch %s could not be written", batch_id)
            error = SoundforgeError(
                f"The output folder could not be written: {type(fault).__name__}: {fault}",
                "Stems and analyses are in the library; see soundforge logs.",
                kind="internal",
            ).as_json()
    now = clock.now()

    def mark(session: Session) -> None:
        batches.finish_batch(session, batch_id, now)
        if error is not None:
            batches.add_error(session, batch_id, "the output folder", error)

    await store.write("finish_batch", mark)


def wishes_of(options: dict[str, Any]) -> Wishes:
    """What a batch's stored options ask for."""
    return Wishes(
        read_separation(options.get("separate")),
        read_analysis(options.get("analyze")),
        read_analysis(options.get("analyze_stems")),
    )


def _outputs(
    session: Session, batch_id: str, options: dict[str, Any]
) -> tuple[list[dict[str, Any]], list[TrackOutput]]:
    rows = batches.account(session, batch_id)
    wishes = wishes_of(options)
    track_ids = list(dict.fromkeys(row["track_id"] for row in rows if row["track_id"]))
    outputs = []
    for track in catalog.tracks(session, track_ids):
        keys = keys_of(track, wishes)
        output = TrackOutput(track["track_id"], track["title"])
        if keys.separate:
            output.stems = catalog.stems_by_request(session, [keys.separate]).get(keys.separate, [])
        if keys.analyze:
            output.analysis = _analysis_content(session, track, keys.analyze)
        outputs.append(output)
    return rows, outputs


def results_of(session: Session, batch_id: str) -> list[dict[str, Any]]:
    """One row a track of a batch: what this batch asked for, whatever others measured since."""
    batch = batches.get_batch(session, batch_id)
    if batch is None:
        return []
    rows, outputs = _outputs(session, batch_id, batch["options"])
    names = {row["track_id"]: row["name"] for row in reversed(rows)}
    results = []
    for output in outputs:
        row: dict[str, Any] = {
            "name": names[output.track_id],
            "title": output.title,
            "track_id": output.track_id,
        }
        if output.analysis is not None:
            row |= {name: output.analysis[name] for name in _MEASURED}
        if output.stems:
            first = output.stems[0]
            row |= {"model": first["model"], "null_residual_db": first["null_residual_db"]}
            row["stems"] = {stem["stem"]: stem["path"] for stem in output.stems}
        results.append(row)
    return results


def _analysis_content(session: Session, track: dict[str, Any], request_key: str) -> dict[str, Any] | None:
    found = catalog.analysis(session, track["track_id"], "mixture", request_key)
    if found is None:
        return None
    return {
        "track_id": track["track_id"],
        "title": track["title"],
        "artist": track["artist"],
        "file": track["path"],
        **{name: found[name] for name in _MEASURED},
        "features": found["analysis"],
        "curves": found["curves"],
    }


def _manifest(batch: dict[str, Any], rows: list[dict[str, Any]], tracks: list[TrackOutput]) -> dict[str, Any]:
    """What a run was asked for, what it ran with, and what became of each input."""
    summary = account.summary(rows)
    return {
        "schema": MANIFEST_SCHEMA,
        "batch_id": batch["batch_id"],
        "versions": _versions(),
        "options": batch["options"],
        "models": _models(tracks),
        "account": summary["inputs"],
        "errors": summary["failures"],
        "inputs": [
            {
                "name": row["name"],
                "track_id": row["track_id"],
                "step": row["step"],
                "status": account.status_of(row),
                "model": (row["result"] or {}).get("model"),
                "null_residual_db": (row["result"] or {}).get("null_residual_db"),
                "error": account.sentence_of(row) if account.status_of(row) == account.FAILED else None,
            }
            for row in rows
        ],
    }


def _versions() -> dict[str, str]:
    versions = {"soundforge_nb": soundforge_nb.__version__, "python": platform.python_version()}
    for package in _PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            versions[package] = metadata.version(package)
    return versions


def _models(tracks: list[TrackOutput]) -> list[dict[str, Any]]:
    """Each model that the stems came from, once, with the hash of its weights."""
    found = {
        (stem["model"], stem["model_sha256"]): {"model": stem["model"], "sha256": stem["model_sha256"]}
        for track in tracks
        for stem in track.stems
    }
    return list(found.values())
