"""The application's ledger: which slot of which node holds which lease. The limit is kept here.

A node is what offers slots: a Dask worker, by its address. Dask's own resources mirror the ledger.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from soundforge_nb.jobs.job import Job


@dataclass
class Lease:
    """A claimed job on a node's slot; it holds until `expires` unless the node speaks up."""

    job: Job
    node: str
    expires: float
    #: Its start is being counted, or was.
    starting: bool = False
    started: bool = False
    progress: int = 0
    message: str = ""
    progress_changed: bool = False
    cancel_reason: str | None = None
    #: Its end is being recorded: too late to cancel it, and no reason to take it up again.
    ending: bool = False
    #: Its node has left: it holds no slot any more, also where a node of the same address came.
    orphaned: bool = False
    started_monotonic: float = 0.0
    #: The lease whose Dask task it shares; a job alone in its task has its own.
    slot: str = ""
    #: Whether its run used its staging folder. Unknown counts as yes.
    staged: bool = True

    def __post_init__(self) -> None:
        self.slot = self.slot or self.lease_id

    @property
    def lease_id(self) -> str:
        return self.job.lease_id


@dataclass
class Node:
    """What offers slots.

    Attributes
    ----------
    until : float
        How long its last word holds.
    pulse : int, optional
        The number of its last word. None: it gives none, and so asks for each start.
    """

    until: float
    silent: bool = False
    gpus: int = 0
    host: str = ""
    pulse: int | None = None


class Ledger:
    """Slots by node and queue, and the leases that hold them. Used from one event loop."""

    def __init__(self, limits: dict[str, int]) -> None:
        #: Jobs at once on one node; changed while it runs.
        self.limits = dict(limits)
        #: Jobs at once on all nodes together; None: as many as the nodes take.
        self.global_limits: dict[str, int | None] = dict.fromkeys(limits)
        self.paused = dict.fromkeys(limits, False)
        #: The nodes as they came, by address.
        self._nodes: dict[str, Node] = {}
        self._leases: dict[str, Lease] = {}
        self._by_job: dict[str, str] = {}
        #: Slots that are taken, by queue and node; a slot counts once, however many leases share it.
        self._used: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._sharing: Counter[str] = Counter()

    @property
    def nodes(self) -> list[str]:
        return list(self._nodes)

    @property
    def silent(self) -> set[str]:
        """Nodes that have not been heard for a lease's term: given nothing until they are."""
        return {address for address, node in self._nodes.items() if node.silent}

    def add_node(self, address: str, node: Node | None = None) -> None:
        """A node is there; where nothing is said of it, for ever."""
        self._nodes[address] = node or Node(float("inf"))

    def node(self, address: str) -> Node | None:
        return self._nodes.get(address)

    def hear(self, address: str, until: float, pulse: int | None = None) -> bool:
        """A node spoke; its word holds until then. True where it had been silent."""
        node = self._nodes.get(address)
        if node is None:
            return False
        was_silent = node.silent
        node.until, node.silent = until, False
        if pulse is not None:
            node.pulse = pulse
        return was_silent

    def fall_silent(self, now: float) -> list[str]:
        """Nodes whose word has run out just now."""
        late = [address for address, node in self._nodes.items() if node.until <= now and not node.silent]
        for address in late:
            self._nodes[address].silent = True
        return late

    def remove_node(self, node: str) -> list[Lease]:
        """Forget a node; returns the leases that lose their slot (they are still in the ledger)."""
        self._nodes.pop(node, None)
        left = [lease for lease in self._leases.values() if lease.node == node and not lease.orphaned]
        for lease in left:
            lease.orphaned = True
        for used in self._used.values():
            used.pop(node, None)
        return left

    def free_slots(self, queue: str) -> list[str]:
        """One entry a slot that may be filled: its node, the least loaded first; none while paused."""
        if self.paused.get(queue, False):
            return []
        limit = self.limits.get(queue, 0)
        used = self._used[queue]
        heard = [address for address, node in self._nodes.items() if not node.silent]
        slots = [(number, node) for node in heard for number in range(used[node], limit)]
        free = [node for _, node in sorted(slots)]
        everywhere = self.global_limits.get(queue)
        return free if everywhere is None else free[: max(0, everywhere - used.total())]

    def free_gpus(self) -> dict[str, int] | None:
        """How many GPUs of each node no lease holds; None where no node has any."""
        gpus = {address: node.gpus for address, node in self._nodes.items() if node.gpus}
        if not gpus:
            return None
        held = Counter(lease.node for lease in self._leases.values() if lease.job.gpu and not lease.orphaned)
        return {address: number - held[address] for address, number in gpus.items()}

    def take(self, lease: Lease) -> None:
        """Put a lease on a slot."""
        self._leases[lease.lease_id] = lease
        self._sharing[lease.slot] += 1
        if self._sharing[lease.slot] == 1:
            self._used[lease.job.queue][lease.node] += 1
        self._by_job[lease.job.job_id] = lease.lease_id

    def release(self, lease_id: str) -> Lease | None:
        """Give a lease's slot back; None where it was given back before."""
        lease = self._leases.pop(lease_id, None)
        if lease is None:
            return None
        self._sharing[lease.slot] -= 1
        if not self._sharing[lease.slot]:
            del self._sharing[lease.slot]
            if not lease.orphaned:
                self._used[lease.job.queue][lease.node] -= 1
        # A later lease of the same job may be here already.
        if self._by_job.get(lease.job.job_id) == lease_id:
            del self._by_job[lease.job.job_id]
        return lease

    def is_taken(self, slot: str) -> bool:
        """Whether a lease still holds this slot, alone or with others."""
        return slot in self._sharing

    def get(self, lease_id: str) -> Lease | None:
        return self._leases.get(lease_id)

    def of_job(self, job_id: str) -> Lease | None:
        return self._leases.get(self._by_job.get(job_id, ""))

    def leases(self) -> list[Lease]:
        return list(self._leases.values())

    def renew_all(self, expires: float) -> None:
        """Every lease and every node gets a fresh term."""
        self.renew(list(self._leases), expires)
        for node in self._nodes.values():
            node.until = max(node.until, expires)

    def renew(self, lease_ids: Iterable[str], expires: float) -> None:
        for lease_id in lease_ids:
            lease = self._leases.get(lease_id)
            if lease is not None:
                lease.expires = expires

    def expired(self, now: float) -> list[Lease]:
        return [lease for lease in self._leases.values() if lease.expires <= now]

    def running(self, queue: str) -> int:
        return sum(lease.job.queue == queue for lease in self._leases.values())
