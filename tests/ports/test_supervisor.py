"""The bounds of a port supervisor's memory, by a clock handed in."""

from __future__ import annotations

import pytest

from soundforge_nb.errors import PortCancelled
from soundforge_nb.ports import supervisor
from soundforge_nb.ports.child import Child
from soundforge_nb.ports.program import Program
from soundforge_nb.ports.supervisor import PortSupervisor


@pytest.fixture
def now():
    return [0.0]


@pytest.fixture
def ports(now):
    return PortSupervisor(clock=lambda: now[0])


def refused(ports, owner):
    try:
        with ports.watch(Child(Program("x", "x"), {}, owner)):
            return False
    except PortCancelled:
        return True


def test_a_cancellation_is_remembered_for_its_owner_and_for_a_time(ports, now):
    ports.cancel("a/1", "no")
    assert refused(ports, "a/1")
    assert refused(ports, "a/1")  # the next port of the same work as well
    assert not refused(ports, "a/2")
    now[0] = supervisor.REMEMBERED_SECONDS - 1
    assert refused(ports, "a/1")
    now[0] = supervisor.REMEMBERED_SECONDS + 1
    assert not refused(ports, "a/1")


def test_only_so_many_cancellations_are_remembered(ports, monkeypatch):
    monkeypatch.setattr(supervisor, "REMEMBERED_OWNERS", 3)
    for number in range(5):
        ports.cancel(f"a/{number}", "no")
    assert [refused(ports, f"a/{number}") for number in range(5)] == [False, False, True, True, True]


def test_a_repeated_cancellation_counts_from_the_last(ports, now):
    ports.cancel("a/1", "no")
    ports.cancel("b/1", "no")
    now[0] = 500.0
    ports.cancel("a/1", "no, again")
    now[0] = 700.0
    assert refused(ports, "a/1")
    assert not refused(ports, "b/1")


def test_work_without_an_owner_meets_no_remembered_cancellation(ports):
    ports.cancel("", "no")
    assert not refused(ports, "")


def test_a_cancel_between_listing_and_start_keeps_the_child_from_starting(ports):
    child = Child(Program("x", "x"), {}, "a/1")
    with ports.watch(child):
        (live,) = ports.ports()
        assert (live.pid, live.memory_bytes) == (None, 0)
        assert ports.cancel("a/1", "no")
        child.start()
        assert child.process is None
        assert child.settle() == "no"
    child.close()


def test_a_child_that_is_over_can_not_be_cancelled():
    child = Child(Program("x", "x"), {}, "a/1")
    child.settle()
    assert not child.cancel("late")
    child.close()
    child.close()
