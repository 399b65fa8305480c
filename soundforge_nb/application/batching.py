"""From a request to a durable batch, and from a batch to a snapshot of it."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

from soundforge_nb.application.application import Application
from soundforge_nb.application.finishing import wishes_of
from soundforge_nb.application.spotify_linking import keep_songs, own_files_first
from soundforge_nb.errors import InputError, UsageError
from soundforge_nb.jobs import batches, insertion
from soundforge_nb.jobs.batches import BatchInput
from soundforge_nb.library import catalog
from soundforge_nb.pipeline import account
from soundforge_nb.pipeline.plan import Keys, Known, Plan, Wishes, files_are_there, keys_of, plan
from soundforge_nb.store.session import Session


async def insert_batch(
    application: Application,
    batch_id: str,
    inputs: list[dict[str, Any]],
    rejected: list[dict[str, Any]],
    options: dict[str, Any],
    output_folder: str | None,
) -> None:
    """Plan a batch and make it durable in one transaction.

    Raises
    ------
    UsageError
        An option does not fit, or nothing is asked for.
    InputError
        The output folder can't be made.
    """
    wishes = wishes_of(options)
    if wishes.stem_analysis and not wishes.separation:
        raise UsageError("analyze_stems needs stems.", 'Add separate="htdemucs", or another model.')
    if not (wishes.separation or wishes.analysis):
        raise UsageError("Nothing was asked for.", 'Give separate="htdemucs", analyze="all", or both.')
    if output_folder is not None:
        await asyncio.to_thread(_make_folder, output_folder)
    store, now = application.store, application.clock.now()
    ids = [entry["track_id"] for entry in inputs]
    await own_files_first(application, ids)
    found = await store.read("tracks", lambda session: catalog.tracks_by_id(session, ids))
    by_id = await asyncio.to_thread(_without_lost_downloads, found)
    if application.config.downloads == "allowed":
        by_id = {key: row | {"is_looked_for": row["path"] is None} for key, row in by_id.items()}
        await keep_songs(application, list(by_id.values()))
    # Keys of local models look at files, so this stays off the event loop.
    keys = await asyncio.to_thread(lambda: [keys_of(row, wishes) for row in by_id.values()])
    known = await store.read("known_work", lambda session: _known(session, keys))
    known = await asyncio.to_thread(_without_lost_files, known)
    named = [(entry["name"], by_id[entry["track_id"]]) for entry in inputs if entry["track_id"] in by_id]
    missing = [entry["name"] for entry in inputs if entry["track_id"] not in by_id]

    def insert(session: Session) -> Plan:
        planned = _plan_now(session, named, wishes, known, keys, batch_id)
        entries = planned.inputs + _refused(len(named), rejected, missing)
        batches.insert_batch(session, batch_id, wishes.as_json(), output_folder, entries, now)
        insertion.insert_jobs(session, planned.jobs, now)
        return planned

    planned = await store.write("insert_batch", insert)
    application.engine.inserted(planned.jobs)
    await application.engine.finish_batch_if_done(batch_id)


async def snapshot(application: Application, batch_id: str) -> dict[str, Any] | None:
    """What a view of a batch shows; live progress comes from the ledger, all else from the store."""
    sequence = application.pubsub.sequence

    def read(session: Session) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
        return batches.get_batch(session, batch_id), batches.account(session, batch_id)

    batch, rows = await application.store.read("snapshot", read)
    if batch is None:
        return None
    for row in rows:
        lease = application.ledger.of_job(row["job_id"]) if row["job_id"] else None
        if lease is not None and row["state"] == "executing":
            row["progress"], row["message"] = lease.progress, lease.message
    return {
        "batch_id": batch_id,
        "state": batch["state"],
        "options": batch["options"],
        "output_folder": batch["output_folder"],
        "inserted_at": batch["inserted_at"],
        "finished_at": batch["finished_at"],
        "job_ids": sorted({row["job_id"] for row in rows if row["job_id"]}),
        "sequence": sequence,
        **account.summary(rows),
    }


def _known(session: Session, keys: list[Keys]) -> Known:
    separate = sorted({key.separate for key in keys if key.separate})
    analyze = sorted({key for k in keys for key in (k.analyze, k.analyze_stems) if key})
    return Known(
        stems=catalog.stems_by_request(session, separate),
        analyses=catalog.analyses_by_request(session, analyze),
    )


def _without_lost_files(known: Known) -> Known:
    there = {key: rows for key, rows in known.stems.items() if files_are_there(rows)}
    return Known(stems=there, analyses=known.analyses)


def _without_lost_downloads(found: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """What a link brought and somebody removed is fetched again."""
    return {
        track_id: row | {"path": None}
        if row["link"] and row["path"] and not Path(row["path"]).exists()
        else row
        for track_id, row in found.items()
    }


def _plan_now(
    session: Session,
    named: list[tuple[str, dict[str, Any]]],
    wishes: Wishes,
    known: Known,
    keys: list[Keys],
    batch_id: str,
) -> Plan:
    """Plan within the writing transaction, so that two batches at once never do one thing twice."""
    wanted = sorted({key for k in keys for key in vars(k).values() if key})
    pending = batches.pending_jobs(session, wanted)
    fresh = Known(known.stems, _known(session, keys).analyses, pending)
    return plan(named, wishes, fresh, batch_id)


def _refused(first: int, rejected: list[dict[str, Any]], missing: list[str]) -> list[BatchInput]:
    gone = InputError("It is not in the library.", "Add it first.", kind="not_found").as_json()
    refused = [(entry["name"], entry["error"]) for entry in rejected] + [(name, gone) for name in missing]
    return [BatchInput(position, name, error=error) for position, (name, error) in enumerate(refused, first)]


def _make_folder(folder: str) -> None:
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        writable = os.access(folder, os.W_OK)
    except OSError:
        writable = False
    if not writable:
        raise InputError(
            f"The output folder {folder} can't be written.", "Name another.", kind="output_folder"
        )
