"""Claiming: which jobs go into which free slots. One job a slot, or a chunk of a kind that asks for it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from soundforge_nb.jobs import table
from soundforge_nb.jobs.folding import claimed
from soundforge_nb.jobs.job import Job, NewJob
from soundforge_nb.jobs.kind import Kinds
from soundforge_nb.lifecycle.identifiers import new_id
from soundforge_nb.store.session import Session

#: Where those that come first wait for a GPU, so many behind them are looked at for one that needs none.
LOOK_BEYOND = 200


@dataclass(frozen=True)
class Claim:
    """What was claimed for one slot; its name is the first lease.

    Attributes
    ----------
    pulse : int, optional
        Where the starts are committed with the claim: the node's last word before it. The node counts their
        term from there. None: it asks for each start.
    """

    node: str
    jobs: tuple[Job, ...]
    pulse: int | None = None

    @property
    def slot(self) -> str:
        return self.jobs[0].lease_id


@dataclass(frozen=True)
class Slots:
    """The free slots of a queue, and what may go into them.

    Attributes
    ----------
    nodes : sequence of str
        One entry a slot, in the order in which they are filled.
    gpus : mapping, optional
        Free GPUs by node; None where no node has any: then no job waits for one.
    wants_gpu : callable
        Whether a job of this kind, with these arguments, needs a GPU to itself.
    """

    queue: str
    nodes: Sequence[str]
    gpus: Mapping[str, int] | None = None
    wants_gpu: Callable[[str, dict[str, Any]], bool] = lambda kind, args: False


@dataclass(frozen=True)
class _Placed:
    row: dict[str, Any]
    node: str
    gpu: bool


def claim_slots(
    session: Session,
    slots: Slots,
    kinds: Kinds,
    turns: Mapping[str, int] | None = None,
    families: bool | None = None,
) -> tuple[list[Claim], bool]:
    """Claim for free slots; returns the claims, and whether the queue had less than was asked for.

    Each slot gets the next job that its node can take. Where that one's kind has chunks, more jobs of the
    same kind join it: they start one by one, and those that did not start go back with no attempt spent.
    """
    placed, emptied = _place(session, slots, turns)
    first = _lease(session, placed, families)
    joined: dict[str, list[Job]] = {job.lease_id: [job] for job, _ in first}
    for name in sorted({job.kind for job, _ in first if not job.gpu}):
        size = kinds[name].chunk if name in kinds else 1
        heads = [(job.lease_id, node) for job, node in first if job.kind == name]
        # In turn, so that the slots share what there is.
        wanted = heads * (size - 1)
        if not wanted or emptied:
            continue
        rows = table.next_jobs(session, slots.queue, len(wanted), kind=name)
        more = [_Placed(row, node, False) for row, (_, node) in zip(rows, wanted, strict=False)]
        for (job, _), (slot, _) in zip(_lease(session, more, families), wanted, strict=False):
            joined[slot].append(job)
    return [Claim(node, tuple(joined[job.lease_id])) for job, node in first], emptied


def claimed_at_once(job: NewJob, attempt: int) -> Job:
    """A new job with a lease, before any table knows of it."""
    return Job(
        job_id=job.job_id,
        kind=job.kind,
        queue=job.queue,
        args=job.args,
        attempt=attempt,
        max_attempts=job.max_attempts,
        lease_id=new_id(),
        meta=job.meta,
        batch_id=job.batch_id,
        track_id=job.track_id,
    )


def _place(session: Session, slots: Slots, turns: Mapping[str, int] | None) -> tuple[list[_Placed], bool]:
    """Find jobs for the slots; whether the queue had less than that."""
    rows = table.next_jobs(session, slots.queue, len(slots.nodes), turns=turns)
    free, gpus = list(slots.nodes), None if slots.gpus is None else dict(slots.gpus)
    placed, passed = _fit(rows, free, gpus, slots.wants_gpu)
    if not passed:
        return placed, len(rows) < len(slots.nodes)
    # They wait for a GPU; what needs none goes past them.
    seen = [row["job_id"] for row in rows]
    beyond = table.next_jobs(session, slots.queue, LOOK_BEYOND, turns=turns, without=seen)
    return placed + _fit(beyond, free, gpus, slots.wants_gpu)[0], False


def _fit(
    rows: Sequence[dict[str, Any]],
    free: list[str],
    gpus: dict[str, int] | None,
    wants_gpu: Callable[[str, dict[str, Any]], bool],
) -> tuple[list[_Placed], int]:
    """Put each job on a free slot, which is used up with it; returns how many had to be passed over."""
    placed = []
    for row in rows:
        if not free:
            break
        gpu = gpus is not None and wants_gpu(row["kind"], json.loads(row["args"]))
        if gpus is None:
            node = free[0]
        elif gpu:
            node = next((node for node in free if gpus.get(node, 0) > 0), "")
        else:
            # A slot beside a GPU is left to those who need one, while there is another.
            node = min(free, key=lambda node: node in gpus)
        if not node:
            continue
        free.remove(node)
        if gpu and gpus is not None:
            gpus[node] -= 1
        placed.append(_Placed(row, node, gpu))
    return placed, len(rows) - len(placed)


def _lease(session: Session, placed: Sequence[_Placed], families: bool | None) -> list[tuple[Job, str]]:
    """Give each job a lease, of which the tables are told later."""
    if not placed:
        return []
    parents = table.parent_results(session, [one.row["job_id"] for one in placed], families)
    leased = [
        (
            Job(
                **{
                    **one.row,
                    "lease_id": new_id(),
                    "args": json.loads(one.row["args"]),
                    "meta": json.loads(one.row["meta"]),
                    "parents": parents.get(one.row["job_id"], {}),
                    "gpu": one.gpu,
                }
            ),
            one.node,
        )
        for one in placed
    ]
    session.remember([claimed(job.job_id, job.lease_id, node) for job, node in leased])
    return leased
