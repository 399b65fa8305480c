"""Where a job's files go: from its staging folder into their place, or away."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Sequence
from pathlib import Path

from soundforge_nb.errors import DiskError
from soundforge_nb.jobs.begun import slot_of
from soundforge_nb.jobs.kind import Move


def move_into_place(moves: Sequence[Move]) -> None:
    """Rename what a job made to where it belongs, before its rows are committed.

    A crash after this leaves a file without a row, which the next run of the job replaces.

    Raises
    ------
    DiskError
        A place can't be written to, or is a link to a place elsewhere.
    """
    for move in moves:
        folder = move.target.parent
        # A person may have the whole of stems or downloads elsewhere; one track's folder is of our making.
        if folder.is_symlink():
            raise DiskError(
                f"{folder} is a link to {folder.readlink()}: nothing is written through it.",
                "Remove the link; then batch.retry().",
            )
        try:
            move.target.parent.mkdir(parents=True, exist_ok=True)
            move.source.replace(move.target)
        except OSError as error:
            raise DiskError(
                f"{move.target.name} could not be put into {move.target.parent}: {error.strerror}.",
                "Make room, or allow writing there; then batch.retry().",
            ) from error


def drop(path: Path) -> None:
    """Remove a file, a link or a whole folder; what can't be removed stays for the next sweep."""
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    except OSError:
        return


def sweep(staging_folder: Path, leased: Collection[str]) -> None:
    """What dead leases left in staging."""
    if staging_folder.is_dir():
        for entry in staging_folder.iterdir():
            if slot_of(entry.name) not in leased:
                drop(entry)
