"""The application's ledger: which slot of which node holds which lease. The limit is kept here.

A node is what offers slots: a Dask worker, by its address. Dask's own resources mirror the ledger.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from soundforge_nb.jobs.job import Job


@dataclass
class Lease:
    """A claimed job on a node's slot; it holds until `expires` unless the node speaks up."""

    job: Job
    node: str
    expires: float
    started: bool = False
    progress: int = 0
    message: str = ""
    progress_changed: bool = False
    cancel_reason: str | None = None
    started_monotonic: float = 0.0

    @property
    def lease_id(self) -> str:
        return self.job.lease_id


@dataclass
class _Node:
    used: dict[str, int] = field(default_factory=dict)


class Ledger:
    """Slots by node and queue, and the leases that hold them. Used from one event loop."""

    def __init__(self, limits: dict[str, int]) -> None:
        self.limits = dict(limits)
        self._nodes: dict[str, _Node] = {}
        self._leases: dict[str, Lease] = {}
        self._by_job: dict[str, str] = {}

    @property
    def nodes(self) -> list[str]:
        return list(self._nodes)

    def add_node(self, node: str) -> None:
        self._nodes.setdefault(node, _Node())

    def remove_node(self, node: str) -> list[Lease]:
        """Forget a node; returns the leases that lose their slot (they are still in the ledger)."""
        self._nodes.pop(node, None)
        return [lease for lease in self._leases.values() if lease.node == node]

    def free_slots(self, queue: str) -> list[str]:
        """One entry a free slot: its node, the least loaded first."""
        limit = self.limits.get(queue, 0)
        slots = [
            (used, node)
            for node, state in self._nodes.items()
            for used in range(state.used.get(queue, 0), limit)
        ]
        return [node for _, node in sorted(slots)]

    def take(self, lease: Lease, queue: str) -> None:
        """Put a lease on a slot."""
        self._leases[lease.lease_id] = lease
        self._by_job[lease.job.job_id] = lease.lease_id
        node = self._nodes.get(lease.node)
        if node is not None:
            node.used[queue] = node.used.get(queue, 0) + 1

    def release(self, lease_id: str) -> Lease | None:
        """Give a lease's slot back; None where it was given back before."""
        lease = self._leases.pop(lease_id, None)
        if lease is None:
            return None
        self._by_job.pop(lease.job.job_id, None)
        node = self._nodes.get(lease.node)
        if node is not None:
            node.used[lease.job.queue] = max(0, node.used.get(lease.job.queue, 0) - 1)
        return lease

    def get(self, lease_id: str) -> Lease | None:
        return self._leases.get(lease_id)

    def of_job(self, job_id: str) -> Lease | None:
        return self._leases.get(self._by_job.get(job_id, ""))

    def leases(self) -> list[Lease]:
        return list(self._leases.values())

    def renew(self, lease_ids: Iterable[str], expires: float) -> None:
        for lease_id in lease_ids:
            lease = self._leases.get(lease_id)
            if lease is not None:
                lease.expires = expires

    def expired(self, now: float) -> list[Lease]:
        return [lease for lease in self._leases.values() if lease.expires <= now]

    def running(self, queue: str) -> int:
        return sum(lease.job.queue == queue for lease in self._leases.values())
