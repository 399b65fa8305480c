"""What the engine knows of its queues: in doubt there is work."""

from __future__ import annotations

from datetime import datetime, timedelta

from soundforge_nb.jobs.demand import Demand

NOW = datetime(2026, 1, 1)
LATER = NOW + timedelta(seconds=10)


def emptied() -> Demand:
    """A demand that has seen its one queue empty."""
    demand = Demand(["analysis"])
    arrivals = demand.arrivals("analysis")
    demand.staged("analysis", arrivals, None)
    demand.claimed("analysis", arrivals, emptied=True)
    assert not demand.worth_a_claim("analysis", NOW)
    return demand


def test_a_fresh_one_assumes_work() -> None:
    demand = Demand(["analysis"])
    assert demand.worth_a_claim("analysis", NOW)
    assert demand.is_due("analysis", NOW)


def test_what_comes_while_a_claim_is_under_way_is_not_hidden_by_it() -> None:
    demand = emptied()
    demand.came("analysis", None)
    arrivals = demand.arrivals("analysis")
    demand.came("analysis", None)
    demand.claimed("analysis", arrivals, emptied=True)
    assert demand.worth_a_claim("analysis", NOW)


def test_a_claim_that_took_all_it_could_leaves_more() -> None:
    demand = emptied()
    demand.came("analysis", None)
    demand.claimed("analysis", demand.arrivals("analysis"), emptied=False)
    assert demand.worth_a_claim("analysis", NOW)


def test_the_earliest_time_counts() -> None:
    demand = emptied()
    demand.due_at("analysis", LATER)
    demand.due_at("analysis", LATER + timedelta(seconds=5))
    assert not demand.worth_a_claim("analysis", NOW)
    assert demand.worth_a_claim("analysis", LATER)


def test_a_time_that_came_while_staging_is_not_forgotten() -> None:
    demand = emptied()
    arrivals = demand.arrivals("analysis")
    demand.due_at("analysis", LATER)
    demand.staged("analysis", arrivals, None)
    assert demand.is_due("analysis", LATER)


def test_a_queue_nobody_serves_is_nobodys_trouble() -> None:
    demand = emptied()
    demand.came("elsewhere", None)
    demand.due_at("elsewhere", NOW)
    assert not demand.worth_a_claim("analysis", NOW)
