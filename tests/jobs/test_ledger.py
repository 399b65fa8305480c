"""The ledger: slots by node and queue, and leases that hold them until their time is over."""

from __future__ import annotations

from soundforge_nb.jobs.job import Job
from soundforge_nb.jobs.ledger import Lease, Ledger


def lease(number: int, node: str = "a", queue: str = "analysis", expires: float = 30.0) -> Lease:
    job = Job(f"job {number}", "plain", queue, {}, 0, 2, f"lease {number}")
    return Lease(job, node, expires)


def ledger(*nodes: str) -> Ledger:
    made = Ledger({"analysis": 2, "processing": 1})
    for node in nodes:
        made.add_node(node)
    return made


def test_the_least_loaded_node_comes_first() -> None:
    book = ledger("a", "b")
    assert book.free_slots("analysis") == ["a", "b", "a", "b"]
    book.take(lease(1, "a"))
    assert book.free_slots("analysis") == ["b", "a", "b"]
    assert book.free_slots("processing") == ["a", "b"]
    assert book.free_slots("download") == []
    assert (book.running("analysis"), book.running("processing")) == (1, 0)


def test_a_slot_is_given_back_once() -> None:
    book = ledger("a")
    book.take(lease(1))
    assert book.release("lease 1") is not None
    assert book.release("lease 1") is None
    assert book.free_slots("analysis") == ["a", "a"]


def test_adding_a_node_twice_frees_nothing() -> None:
    book = ledger("a")
    book.take(lease(1))
    book.add_node("a")
    assert book.free_slots("analysis") == ["a"]


def test_a_node_that_comes_back_has_its_slots_to_itself() -> None:
    """The old node's leases hold none of its slots, and give none back."""
    book = ledger("a")
    book.take(lease(1))
    assert [left.lease_id for left in book.remove_node("a")] == ["lease 1"]
    assert book.free_slots("analysis") == []
    book.add_node("a")
    assert book.free_slots("analysis") == ["a", "a"]
    book.take(lease(2))
    book.release("lease 1")
    assert book.free_slots("analysis") == ["a"]
    assert [left.lease_id for left in book.remove_node("a")] == ["lease 2"]


def test_a_job_s_newest_lease_is_the_one_that_counts() -> None:
    book = ledger("a")
    old, new = lease(1), Lease(Job("job 1", "plain", "analysis", {}, 1, 2, "lease 2"), "a", 30.0)
    book.take(old)
    book.take(new)
    book.release("lease 1")
    assert book.of_job("job 1") is new
    book.release("lease 2")
    assert book.of_job("job 1") is None


def test_leases_expire_unless_renewed() -> None:
    book = ledger("a")
    book.take(lease(1, expires=10.0))
    book.take(lease(2, expires=20.0))
    book.renew(["lease 1", "lease of nobody"], 30.0)
    assert book.expired(19.9) == []
    assert [one.lease_id for one in book.expired(20.0)] == ["lease 2"]
