"""The journal's claims, starts and ends, and the tables that are told of them: once, whatever a crash hid."""

from __future__ import annotations

import asyncio
import shutil
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from soundforge_nb.errors import SoundforgeError
from soundforge_nb.jobs import folding
from soundforge_nb.jobs.folding import fold
from soundforge_nb.jobs.job import Cancel, Completed, Discard, Retry, Snooze
from soundforge_nb.jobs.states import State
from soundforge_nb.jobs.table import Ack, Start
from soundforge_nb.jobs.verdict import plain_error
from soundforge_nb.lifecycle.identifiers import new_id
from soundforge_nb.store.store import Store
from tests.jobs.conftest import House, open_house

OUTCOMES = [
    Completed({"n": 1}),
    Retry(plain_error("It fell.")),
    Snooze(5.0, "not now"),
    Cancel("no"),
    Discard(plain_error("Never.")),
]


def test_a_claim_that_was_not_told_is_not_claimed_again(in_house: Any) -> None:
    async def test(house: House) -> None:
        jobs = [await house.insert() for _ in range(5)]
        assert await house.engine.fill("analysis") == 2
        house.engine.ledger.add_node("other")
        assert await house.engine.fill("analysis") == 2
        assert [job.job_id for job, _ in house.hands.given] == [job.job_id for job in jobs[:4]]
        assert await house.states(*jobs) == ["executing"] * 4 + ["available"]

    in_house(test, analysis_limit=2)


def test_a_claim_is_seen_by_who_cancels(in_house: Any) -> None:
    async def test(house: House) -> None:
        await house.insert()
        job = await house.claim()
        assert await house.engine.cancel([job.job_id], "stop") == 1
        assert house.hands.cancelled == [(job.job_id, "stop")]
        assert await house.start(job) is None

    in_house(test)


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_start_and_an_end_told_together_and_apart_are_the_same(in_house: Any, outcome: Any) -> None:
    async def test(house: House) -> None:
        rows = []
        for apart in (True, False):
            job = await house.insert()
            claimed = await house.claim()
            for step in (house.start(claimed), house.finish(claimed, outcome)):
                if apart:
                    await house.store.settle()
                assert await step
            row = await house.row(job)
            attempts = await house.attempts(job)
            assert len(attempts) == 1
            rows.append(({k: v for k, v in row.items() if k not in ("job_id", "batch_id")}, attempts))
        assert rows[0] == rows[1]

    in_house(test)


@pytest.mark.parametrize("state", [state for state in State if state is not State.EXECUTING])
def test_only_what_a_lease_holds_is_changed(in_house: Any, state: State) -> None:
    async def test(house: House) -> None:
        job = await house.insert()
        await house.store.write(
            "test", lambda session: session.execute("UPDATE jobs SET state = ?", [state.value])
        )
        lease_id, now = new_id(), house.clock.now()
        ack = Ack(job.job_id, lease_id, State.COMPLETED, "completed")
        events = [folding.started(Start(job.job_id, lease_id, "n", "h", 1), now), folding.ended(ack, now)]
        if state is not State.AVAILABLE:
            events.insert(0, folding.claimed(job.job_id, lease_id, "n"))
        await house.store.write("test", lambda session: fold(session, events))
        assert await house.state(job) == state
        assert await house.attempts(job) == []

    in_house(test)


def test_an_end_that_is_none_is_refused_before_it_is_noted(in_house: Any) -> None:
    async def test(house: House) -> None:
        now = house.clock.now()
        with pytest.raises(SoundforgeError, match="can't become"):
            folding.ended(Ack(new_id(), new_id(), State.EXECUTING, "executing"), now)

    in_house(test)


def test_a_result_that_is_no_text_fails_its_own_job_alone(in_house: Any) -> None:
    async def test(house: House) -> None:
        house.engine.any_parents = False
        jobs = [await house.running() for _ in range(2)]
        outcomes = [Snooze(5.0, "\ud800"), Completed({"n": 1})]
        ended = await asyncio.gather(*(house.finish(*each) for each in zip(jobs, outcomes, strict=True)))
        assert ended == [True, True]
        assert await house.states(*jobs) == ["retryable", "completed"]

    in_house(test)


STEPS = st.lists(
    st.tuples(st.sampled_from(["claim", "start", "end", "tell", "crash"]), st.integers(0, 4)), max_size=25
)


@given(STEPS)
@settings(max_examples=40)
def test_a_crash_at_any_moment_tells_each_start_and_end_once(steps: list[tuple[str, int]]) -> None:
    async def test(folder: Path) -> None:
        (folder / "house").mkdir()
        async with open_house(folder / "house", analysis_limit=5) as house:
            house.engine.any_parents = False
            jobs = [await house.insert() for _ in range(5)]
            starts: Counter[str] = Counter()
            ends: dict[str, str] = {}
            claimed: dict[str, Any] = {}
            for number, (step, which) in enumerate(steps):
                job = claimed.get(jobs[which].job_id)
                if step == "claim":
                    await house.engine.fill("analysis")
                    claimed |= {job.job_id: job for job, _ in house.hands.given}
                elif step == "start" and job is not None and await house.start(job) is not None:
                    starts[job.job_id] += 1
                elif step == "end" and job is not None and starts[job.job_id] and job.job_id not in ends:
                    outcome = OUTCOMES[(0, 3, 4)[which % 3]]
                    assert await house.finish(job, outcome)
                    ends[job.job_id] = {0: "completed", 3: "cancelled", 4: "discarded"}[(0, 3, 4)[which % 3]]
                elif step == "tell":
                    await house.store.settle()
                elif step == "crash":
                    await look_after_crash(house, folder / f"crash-{number}", starts, ends)
            await look_after_crash(house, folder / "crash-last", starts, ends)

    with TemporaryDirectory() as folder:
        asyncio.run(test(Path(folder)))


async def look_after_crash(house: House, place: Path, starts: Counter[str], ends: dict[str, str]) -> None:
    """What another process finds if this one is killed now; twice, for it may be killed before it forgets."""
    place.mkdir()
    for file in house.config.data_folder.glob("soundforge.duckdb*"):
        shutil.copy2(file, place / file.name)
    journal = place / "soundforge.duckdb.journal"
    noted = journal.read_bytes() if journal.exists() else b""
    for _ in range(2):
        if noted:
            journal.write_bytes(noted)
        store = Store(place / "soundforge.duckdb", fold=fold)
        await store.start()
        rows = await store.read(
            "jobs", lambda s: s.dicts("SELECT job_id::VARCHAR AS id, state, attempt FROM jobs")
        )
        attempts = await store.read(
            "attempts",
            lambda s: s.dicts("SELECT job_id::VARCHAR AS id, ended_at IS NOT NULL AS ended FROM attempts"),
        )
        await store.stop()
        assert Counter(row["id"] for row in attempts) == starts
        assert {row["id"] for row in attempts if row["ended"]} == ends.keys()
        for row in rows:
            assert row["attempt"] == starts[row["id"]]
            if row["id"] in ends:
                assert row["state"] == ends[row["id"]]
            elif starts[row["id"]]:
                assert row["state"] == "executing"
            else:
                assert row["state"] in ("available", "executing")
