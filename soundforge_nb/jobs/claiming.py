"""Claiming: which jobs go into which free slots. One job a slot, or a chunk of a kind that asks for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from soundforge_nb.jobs import table
from soundforge_nb.jobs.folding import claimed
from soundforge_nb.jobs.job import Job
from soundforge_nb.jobs.kind import Kinds
from soundforge_nb.lifecycle.identifiers import new_id
from soundforge_nb.store.session import Session


@dataclass(frozen=True)
class Claim:
    """What was claimed for one slot; its name is the first lease."""

    node: str
    jobs: tuple[Job, ...]

    @property
    def slot(self) -> str:
        return self.jobs[0].lease_id


def claim_slots(
    session: Session,
    queue: str,
    nodes: Sequence[str],
    kinds: Kinds,
    turns: Mapping[str, int] | None = None,
    families: bool | None = None,
) -> tuple[list[Claim], bool]:
    """Claim for free slots; returns the claims, and whether the queue had less than was asked for.

    Each slot gets the next job. Where that one's kind has chunks, more jobs of the same kind join it: they
    start one by one, and those that did not start go back with no attempt spent.
    """
    first = _claim(session, queue, nodes, None, turns, families)
    joined: dict[str, list[Job]] = {job.lease_id: [job] for job, _ in first}
    emptied = len(first) < len(nodes)
    for name in sorted({job.kind for job, _ in first}):
        size = kinds[name].chunk if name in kinds else 1
        slots = [(job.lease_id, node) for job, node in first if job.kind == name]
        # In turn, so that the slots share what there is.
        wanted = slots * (size - 1)
        if not wanted or emptied:
            continue
        more = _claim(session, queue, [node for _, node in wanted], name, None, families)
        for (job, _), (slot, _) in zip(more, wanted, strict=False):
            joined[slot].append(job)
    return [Claim(node, tuple(joined[job.lease_id])) for job, node in first], emptied


def _claim(
    session: Session,
    queue: str,
    nodes: Sequence[str],
    kind: str | None,
    turns: Mapping[str, int] | None,
    families: bool | None,
) -> list[tuple[Job, str]]:
    found = table.claim(session, queue, nodes, [new_id() for _ in nodes], kind, turns, families)
    session.remember([claimed(job.job_id, job.lease_id, node) for job, node in found])
    return found
