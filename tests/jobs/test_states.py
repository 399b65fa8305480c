"""Every change of a job's state is one that the table of transitions knows.

Two ways to see it: the guards of the statements, read as text; and an engine driven at random, with
every state a job was ever in written down by the database itself.
"""

from __future__ import annotations

import asyncio
import logging
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

import soundforge_nb.jobs
from soundforge_nb.errors import ForbiddenTransition
from soundforge_nb.jobs.job import Cancel, Completed, Discard, Retry, Snooze
from soundforge_nb.jobs.states import FINISHED, TRANSITIONS, UNFINISHED, State, check_transition, sources_of
from soundforge_nb.jobs.verdict import plain_error

QUERIES = Path(soundforge_nb.jobs.__file__).parent / "queries"


def test_every_state_has_its_ways() -> None:
    assert TRANSITIONS.keys() == set(State)
    assert set(State) == UNFINISHED | FINISHED
    assert TRANSITIONS[State.COMPLETED] == frozenset()


@pytest.mark.parametrize("before", State)
@pytest.mark.parametrize("after", State)
def test_a_forbidden_way_is_an_error(before: State, after: State) -> None:
    if after in TRANSITIONS[before]:
        check_transition(before, after)
        assert before in sources_of(after)
    else:
        with pytest.raises(ForbiddenTransition, match=f"A {before} job can't become {after}"):
            check_transition(before, after)


@pytest.mark.parametrize(
    ("name", "targets"),
    [
        ("stage_due", ["available"]),
        ("cancel_waiting", ["cancelled"]),
    ],
)
def test_a_statement_s_guard_lets_only_allowed_ways_through(name: str, targets: list[str]) -> None:
    text = (QUERIES / f"{name}.sql").read_text()
    guards = re.findall(r"(?<!NOT )\bstate (?:= '(\w+)'|IN \(([^)]*)\))", text.split("SET", 1)[-1])
    sources = {
        source
        for one, several in guards
        for source in ([one] if one else re.findall(r"\w+", several))
        if source not in targets
    }
    assert sources
    for target in targets:
        assert sources <= set(sources_of(State(target)))


FAULT = plain_error("It fell.")
OUTCOMES = st.sampled_from(
    [Completed(), Completed({"raise": "bad"}), Retry(FAULT), Snooze(5.0), Cancel("no"), Discard(FAULT)]
)


class Machine(RuleBasedStateMachine):
    """An engine on a real store, against a model that knows which states may follow which."""

    jobs = Bundle("jobs")
    house_class: Any = None

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="soundforge-states-"))
        self.runner = asyncio.Runner()
        self.house = self.runner.get_loop().run_until_complete(self._open())
        self.seen: dict[str, str] = {}

    async def _open(self) -> Any:
        house = self.house_class(self.folder, analysis_limit=2)
        await house.store.start()
        return house

    def teardown(self) -> None:
        self.do(self.house.engine.settled())
        self.do(self.house.store.stop())
        self.runner.close()
        shutil.rmtree(self.folder)

    def do(self, work: Any) -> Any:
        return self.runner.get_loop().run_until_complete(work)

    @initialize()
    def begin(self) -> None:
        self.do(self.house.engine.reconcile())

    @rule(target=jobs, delay=st.sampled_from([0.0, 5.0]), priority=st.integers(0, 9))
    def insert(self, delay: float, priority: int) -> Any:
        return self.do(self.house.insert(scheduled_in_seconds=delay, priority=priority))

    @rule(target=jobs, parent=jobs)
    def insert_child(self, parent: Any) -> Any:
        return self.do(self.house.insert(parents=(parent.job_id,)))

    @rule()
    def fill(self) -> None:
        ledger = self.house.engine.ledger
        before = ledger.running("analysis")
        claimed = self.do(self.house.engine.fill("analysis"))
        if claimed:
            assert not ledger.paused["analysis"]
            limits = [ledger.limits["analysis"], ledger.global_limits["analysis"]]
            assert before + claimed <= min(limit for limit in limits if limit is not None)

    @rule(outcome=OUTCOMES, start=st.booleans(), which=st.integers(0, 3))
    def end(self, outcome: Any, start: bool, which: int) -> None:
        leases = self.house.engine.ledger.leases()
        if leases:
            job = leases[which % len(leases)].job
            if start:
                self.do(self.house.start(job))
            self.do(self.house.finish(job, outcome))

    @rule(which=st.integers(0, 3))
    def lose(self, which: int) -> None:
        leases = self.house.engine.ledger.leases()
        if leases:
            self.do(self.house.engine.lost(leases[which % len(leases)].lease_id, "its node died"))

    @rule(job=jobs)
    def cancel(self, job: Any) -> None:
        self.do(self.house.engine.cancel([job.job_id], "not wanted"))

    @rule(job=jobs)
    def retry(self, job: Any) -> None:
        self.do(self.house.engine.retry([job.job_id]))

    @rule(job=jobs)
    def run_now(self, job: Any) -> None:
        self.do(self.house.engine.run_now([job.job_id]))

    @rule(paused=st.booleans())
    def pause(self, paused: bool) -> None:
        controls = self.house.engine.controls
        self.do(controls.pause("analysis") if paused else controls.resume("analysis"))

    @rule(limit=st.integers(0, 3), everywhere=st.none() | st.integers(0, 3))
    def scale(self, limit: int, everywhere: int | None) -> None:
        self.do(self.house.engine.controls.scale("analysis", limit, everywhere))

    @rule(seconds=st.sampled_from([1.0, 10.0, 60.0]))
    def wait(self, seconds: float) -> None:
        self.house.clock.advance(seconds)

    @rule()
    def restart(self) -> None:
        self.house.engine = self.house.new_engine()
        self.do(self.house.engine.reconcile())

    @invariant()
    def every_change_is_allowed(self) -> None:
        rows = self.do(
            self.house.sql(
                "SELECT job_id::VARCHAR AS job_id, state, attempt, max_attempts, waits_for FROM jobs"
            )
        )
        for row in rows:
            before, after = self.seen.get(row["job_id"]), row["state"]
            if before is not None and before != after:
                assert self.reachable(before, after), f"{before} became {after}"
            self.seen[row["job_id"]] = after
            assert 0 <= row["attempt"] <= row["max_attempts"]
            assert row["waits_for"] >= 0

    @staticmethod
    def reachable(before: str, after: str) -> bool:
        """One step, or two where a rule makes two in one transaction: due and then claimed."""
        follow = TRANSITIONS[State(before)]
        return after in follow or any(
            after in TRANSITIONS[middle] for middle in follow if middle == "available"
        )

    @invariant()
    def the_ledger_and_the_table_agree(self) -> None:
        executing = {
            row["lease_id"]
            for row in self.do(
                self.house.sql("SELECT lease_id::VARCHAR AS lease_id FROM jobs WHERE state = 'executing'")
            )
        }
        assert executing == {lease.lease_id for lease in self.house.engine.ledger.leases()}

    @invariant()
    def nothing_waits_for_the_dead(self) -> None:
        rows = self.do(
            self.house.sql(
                "SELECT c.job_id FROM jobs AS c JOIN job_parents AS l ON l.job_id = c.job_id"
                " JOIN jobs AS p ON p.job_id = l.parent_id"
                " WHERE c.state = 'scheduled' AND p.state IN ('discarded', 'cancelled')"
            )
        )
        assert rows == []

    @invariant()
    def open_attempts_are_those_of_running_jobs(self) -> None:
        rows = self.do(
            self.house.sql(
                "SELECT a.job_id FROM attempts AS a JOIN jobs AS j ON j.job_id = a.job_id"
                " WHERE a.ended_at IS NULL AND j.state <> 'executing'"
            )
        )
        assert rows == []


@pytest.fixture
def house_class(in_house: Any, request: pytest.FixtureRequest) -> Any:
    found: list[Any] = []

    async def take(house: Any) -> None:
        found.append(type(house))

    in_house(take)
    return found[0]


def test_an_engine_driven_at_random_keeps_to_the_transitions(
    house_class: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "soundforge_nb")
    Machine.house_class = house_class
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=12,
            stateful_step_count=20,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
