"""How a run ends: outcomes, the fence, what is recorded with it, cancels and rescues."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from soundforge_nb.errors import SoundforgeError, StoreError
from soundforge_nb.jobs.folding import fold
from soundforge_nb.jobs.job import Cancel, Completed, Discard, Retry, Snooze
from soundforge_nb.jobs.verdict import RESCUE_LIMIT, plain_error
from soundforge_nb.store.faults import FULL
from soundforge_nb.store.store import Store

FAULT = {
    "error": "PortCrashed",
    "kind": "crashed",
    "message": "It fell.",
    "remedy": "",
    "details": {"tail": "x"},
}


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "soundforge_nb")


# -- outcomes -------------------------------------------------------------------------------------


def test_retries_wait_longer_and_end_as_discarded_with_every_attempt_kept(in_house: Any) -> None:
    async def test(house: Any) -> None:
        job = await house.insert(max_attempts=3)
        await house.run(Retry(FAULT))
        row = await house.row(job)
        assert (row["state"], row["message"], row["error"]) == ("retryable", "It fell.", FAULT)
        assert row["scheduled_at"] == house.clock.now() + timedelta(seconds=10)
        assert await house.engine.fill("analysis") == 0
        house.clock.advance(10)
        await house.run(Retry(FAULT))
        house.clock.advance(19.9)
        assert await house.engine.fill("analysis") == 0
        house.clock.advance(0.1)
        await house.run(Retry({**FAULT, "message": "It fell at last."}))
        row = await house.row(job)
        assert (row["state"], row["attempt"]) == ("discarded", 3)
        assert row["discarded_at"] == house.clock.now()
        attempts = await house.attempts(job)
        assert [(one["attempt"], one["outcome"]) for one in attempts] == [
            (1, "retry"),
            (2, "retry"),
            (3, "discarded"),
        ]
        assert all('"tail":"x"' in one["error"].replace(" ", "") for one in attempts)
        assert all(one["ended_at"] is not None for one in attempts)

    in_house(test)


def test_a_retry_may_name_its_own_wait(in_house: Any) -> None:
    async def test(house: Any) -> None:
        job = await house.insert()
        await house.run(Retry(FAULT, after_seconds=3.0))
        assert (await house.row(job))["scheduled_at"] == house.clock.now() + timedelta(seconds=3)

    in_house(test)


def test_a_snooze_spends_no_attempt(in_house: Any) -> None:
    async def test(house: Any) -> None:
        job = await house.insert(max_attempts=1)
        for _ in range(3):
            await house.run(Snooze(60.0, "no network"))
            row = await house.row(job)
            assert (row["state"], row["message"]) == ("scheduled", "no network")
            house.clock.advance(60)
        await house.run(Retry(FAULT))
        row = await house.row(job)
        assert (row["state"], row["attempt"], row["max_attempts"]) == ("discarded", 4, 4)

    in_house(test)


def test_a_snooze_before_the_start_spends_none_either(in_house: Any) -> None:
    async def test(house: Any) -> None:
        job = await house.insert()
        claimed = await house.claim()
        assert await house.finish(claimed, Snooze(30.0, "unknown kind"))
        row = await house.row(job)
        assert (row["state"], row["attempt"], row["max_attempts"]) == ("scheduled", 0, 2)

    in_house(test)


@pytest.mark.parametrize(
    ("outcome", "state"), [(Discard(FAULT), "discarded"), (Cancel("no longer wanted"), "cancelled")]
)
def test_a_run_can_end_its_job_for_good(in_house: Any, outcome: Any, state: str) -> None:
    async def test(house: Any) -> None:
        job = await house.insert()
        await house.run(outcome)
        row = await house.row(job)
        assert row["state"] == state
        assert row[f"{state}_at"] == house.clock.now()
        assert (await house.attempts(job))[0]["outcome"] == state

    in_house(test)


def test_job_stop_is_told_after_the_commit(in_house: Any) -> None:
    async def test(house: Any) -> None:
        stood: list[tuple[str, str]] = []

        def look(event: str, measured: Any, metadata: Any) -> None:
            with house.store.cursor() as connection:
                rows = connection.execute(
                    "SELECT state FROM jobs WHERE job_id = ?", [metadata["job_id"]]
                ).fetchall()
            stood.append((event, rows[0][0]))

        house.telemetry.attach("test", ["job.stop", "job.exception"], look)
        house.pubsub.subscribe("jobs", lambda message: None)
        await house.insert()
        await house.run()
        await house.insert()
        await house.run(Discard(FAULT))
        assert stood == [("job.stop", "completed"), ("job.exception", "discarded")]

    in_house(test)


# -- the fence ------------------------------------------------------------------------------------


def test_a_late_answer_changes_nothing(in_house: Any) -> None:
    async def test(house: Any) -> None:
        job = await house.running()
        assert await house.engine.lost(job.lease_id, "its node died")
        again = await house.claim()
        assert again.lease_id != job.lease_id
        assert not await house.finish(job, Completed({"settings": ["late"]}))
        assert await house.state(job) == "executing"
        assert await house.start(again) is not None
        assert await house.finish(again, Completed({"settings": ["right"]}))
        assert await house.settings() == ["right"]

    in_house(test)


def test_the_store_itself_holds_a_dead_lease_back(in_house: Any) -> None:
    """In one group with the living one, too: the fence is in the transaction, not in the ledger."""

    async def test(house: Any) -> None:
        job = await house.running()
        dead = house.engine.ledger.get(job.lease_id)
        await house.engine.lost(job.lease_id, "its node died")
        again = await house.claim()
        living = house.engine.ledger.get(again.lease_id)
        acks = [
            await house.engine._ack_for(lease, Completed({"settings": [name]}))
            for lease, name in ((dead, "dead"), (living, "living"), (living, "living twice"))
        ]
        answers = await asyncio.gather(*map(house.engine._acknowledge, acks))
        assert [answer.accepted for answer in answers] == [False, True, False]
        assert await house.settings() == ["living"]

    in_house(test)


def test_two_ends_of_one_run_count_once(in_house: Any) -> None:
    async def test(house: Any) -> None:
        job = await house.running()
        ended = await asyncio.gather(
            house.finish(job), house.finish(job), house.engine.lost(job.lease_id, "node died")
        )
        assert ended == [True, False, False]
        assert await house.state(job) == "completed"
        assert house.told_of(job).count("completed") == 1

    in_house(test)


def test_an_end_is_recorded_and_told_though_its_caller_was_cancelled(in_house: Any) -> None:
    async def test(house: Any) -> None:
        job = await house.running()
        ending = asyncio.create_task(house.finish(job))
        await asyncio.sleep(0)
        ending.cancel()
        await asyncio.wait([ending])
        await house.engine.settled()
        assert await house.state(job) == "completed"
        assert house.told_of(job)[-1] == "completed"
        assert house.engine.ledger.leases() == []

    in_house(test)


# -- what a run leaves ----------------------------------------------------------------------------


def test_a_bad_row_makes_its_job_retryable_and_its_neighbours_complete(in_house: Any) -> None:
    async def test(house: Any) -> None:
        good, bad, other = [await house.running() for _ in range(3)]
        ended = await asyncio.gather(
            house.finish(good, Completed({"settings": ["a", "b"]})),
            house.finish(bad, Completed({"settings": ["c", "c"]})),
            house.finish(other, Completed({"settings": ["d"]})),
        )
        assert ended == [True, True, True]
        assert await house.states(good, bad, other) == ["completed", "retryable", "completed"]
        assert await house.settings() == ["a", "b", "d"]
        assert (await house.row(bad))["error"]["kind"] == "store"
        assert (await house.attempts(bad))[0]["outcome"] == "retry"

    in_house(test, analysis_limit=3)


def test_a_record_that_raises_is_a_failed_attempt(in_house: Any) -> None:
    async def test(house: Any) -> None:
        job = await house.insert()
        await house.run(Completed({"raise": "no such column"}))
        row = await house.row(job)
        assert row["state"] == "retryable"
        assert "could not be recorded: ValueError: no such column" in row["error"]["message"]
        house.clock.advance(60)
        await house.run(Completed({"raise": "again"}))
        assert await house.state(job) == "discarded"

    in_house(test)


def staged(house: Any, job: Any, *names: str) -> Path:
    folder: Path = house.config.staging_folder / job.lease_id
    folder.mkdir(parents=True)
    for name in (*names, "left over"):
        (folder / name).write_text(name)
    return folder


def test_files_are_in_place_before_their_rows(in_house: Any) -> None:
    async def test(house: Any) -> None:
        job = await house.running()
        folder = staged(house, job, "vocals.wav")
        place = house.config.stems_folder / "vocals.wav"
        there: list[bool] = []

        def look(event: str, measured: Any, metadata: Any) -> None:
            if metadata["label"] == "acknowledge":
                there.append(place.exists())

        house.telemetry.attach("test", ["store.query"], look)
        assert await house.finish(job, Completed({"files": ["vocals.wav"], "settings": ["row"]}))
        assert there[0]
        assert place.read_text() == "vocals.wav"
        await house.engine.settled()
        assert not folder.exists()

    in_house(test)


def test_a_file_that_is_missing_leaves_no_row(in_house: Any) -> None:
    async def test(house: Any) -> None:
        job = await house.running()
        assert await house.finish(job, Completed({"files": ["gone.wav"], "settings": ["row"]}))
        assert await house.state(job) == "retryable"
        assert await house.settings() == []

    in_house(test)


def test_an_end_waits_for_a_store_that_is_opened_again(in_house: Any) -> None:
    """The store crashes under the engine: leases survive, and the end is repeated."""

    async def test(house: Any) -> None:
        job, other = await house.running(), await house.running()
        await house.store.stop()
        ending = asyncio.create_task(house.finish(job, Completed({"settings": ["kept"]})))
        await asyncio.sleep(0)
        house.store = Store(house.config.store_file, telemetry=house.telemetry, fold=fold)
        await house.store.start()
        assert await ending
        assert await house.settings() == ["kept"]
        assert house.engine.ledger.of_job(other.job_id) is not None
        assert await house.finish(other)
        assert await house.states(job, other) == ["completed", "completed"]

    in_house(test)


def test_a_store_that_stays_away_spends_no_attempt(in_house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(house: Any) -> None:
        monkeypatch.setattr("soundforge_nb.jobs.runs.REPEAT_SECONDS", (0.0, 0.0))
        job = await house.running()
        await house.store.stop()
        with pytest.raises(SoundforgeError, match="closed"):
            await house.finish(job)
        house.store = Store(house.config.store_file, fold=fold)
        await house.store.start()
        # The lease is still there, runs out, and the job is taken up again.
        assert await house.engine.lost(job.lease_id, "its lease ran out")
        row = await house.row(job)
        assert (row["state"], row["attempt"], row["max_attempts"]) == ("available", 1, 3)

    in_house(test)


def test_an_end_waits_for_room_on_the_disk(in_house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was computed while nobody made room is not computed again."""

    async def test(house: Any) -> None:
        monkeypatch.setattr("soundforge_nb.jobs.runs.FULL_SECONDS", 0.0)
        monkeypatch.setattr("soundforge_nb.jobs.runs.REPEAT_SECONDS", ())
        job = await house.running()
        write, refusals = house.store.write, []

        async def refusing(label: str, work: Any) -> Any:
            if label == "acknowledge" and len(refusals) < 50:
                refusals.append(label)
                raise StoreError("The disk is full.", kind=FULL)
            return await write(label, work)

        house.store.write = refusing
        assert await house.finish(job, Completed({"settings": ["kept"]}))
        assert len(refusals) == 50
        row = await house.row(job)
        assert (row["state"], row["attempt"]) == ("completed", 1)
        assert await house.settings() == ["kept"]

    in_house(test)


def test_a_place_that_can_not_be_written_to_is_a_sentence(in_house: Any) -> None:
    async def test(house: Any) -> None:
        job = await house.running()
        staging = house.config.staging_folder / job.lease_id
        staging.mkdir(parents=True)
        (staging / "vocals.wav").write_text("samples")
        house.config.stems_folder.write_text("no folder")
        assert await house.finish(job, Completed({"files": ["vocals.wav"]}))
        error = (await house.row(job))["error"]
        assert error["kind"] == "disk"
        assert error["message"].startswith(f"vocals.wav could not be put into {house.config.stems_folder}")

    in_house(test)


# -- cancels --------------------------------------------------------------------------------------


def test_what_waits_is_cancelled_at_once(in_house: Any) -> None:
    async def test(house: Any) -> None:
        waiting, later = await house.insert(), await house.insert(scheduled_in_seconds=60.0)
        retryable = await house.insert(priority=0)
        await house.run(Retry(FAULT))
        assert await house.engine.cancel([waiting.job_id, later.job_id, retryable.job_id], "not wanted") == 3
        assert await house.states(waiting, later, retryable) == ["cancelled"] * 3
        row = await house.row(waiting)
        assert (row["message"], row["error"]["kind"]) == ("not wanted", "cancelled")
        assert house.told_of(later) == ["scheduled", "cancelled"]
        assert house.hands.cancelled == []

    in_house(test, analysis_limit=1)


def test_a_running_job_is_cancelled_whatever_its_run_comes_to(in_house: Any) -> None:
    async def test(house: Any) -> None:
        job = await house.running()
        assert await house.engine.cancel([job.job_id, job.job_id], "stop") == 1
        assert house.hands.cancelled == [(job.job_id, "stop")]
        assert await house.state(job) == "executing"
        assert await house.finish(job, Completed({"settings": ["made in vain"]}))
        assert await house.state(job) == "cancelled"
        assert await house.settings() == []
        assert (await house.attempts(job))[0]["outcome"] == "cancelled"

    in_house(test)


def test_a_cancelled_run_that_is_lost_stays_cancelled(in_house: Any) -> None:
    async def test(house: Any) -> None:
        job = await house.running()
        await house.engine.cancel([job.job_id], "stop")
        await house.engine.lost(job.lease_id, "its node died")
        assert await house.state(job) == "cancelled"

    in_house(test)


def test_a_job_cancelled_before_its_start_does_not_start(in_house: Any) -> None:
    async def test(house: Any) -> None:
        await house.insert()
        job = await house.claim()
        await house.engine.cancel([job.job_id], "stop")
        assert await house.start(job) is None
        assert await house.engine.lost(job.lease_id, "its start was refused")
        row = await house.row(job)
        assert (row["state"], row["attempt"]) == ("cancelled", 0)

    in_house(test)


def test_a_cancel_that_crosses_the_start_holds_the_run_back(in_house: Any) -> None:
    async def test(house: Any) -> None:
        await house.insert()
        job = await house.claim()
        starting = asyncio.create_task(house.start(job))
        await asyncio.sleep(0)
        await house.engine.cancel([job.job_id], "stop")
        assert await starting is None

    in_house(test)


def test_a_cancel_is_repeated_until_the_run_ends(in_house: Any) -> None:
    async def test(house: Any) -> None:
        job = await house.running()
        await house.engine.cancel([job.job_id], "stop")
        await house.engine.repeat_cancels()
        await house.engine.settled()
        assert house.hands.cancelled == [(job.job_id, "stop")] * 2
        await house.finish(job, Cancel("stop"))
        await house.engine.repeat_cancels()
        await house.engine.settled()
        assert len(house.hands.cancelled) == 2

    in_house(test)


def test_a_node_that_does_not_take_a_cancel_breaks_nothing(in_house: Any) -> None:
    async def test(house: Any) -> None:
        job = await house.running()

        async def deaf(lease: Any, reason: str) -> None:
            raise OSError("connection lost")

        house.hands.cancel = deaf
        assert await house.engine.cancel([job.job_id], "stop") == 1
        assert await house.finish(job)
        assert await house.state(job) == "cancelled"

    in_house(test)


def test_what_is_over_can_not_be_cancelled(in_house: Any) -> None:
    async def test(house: Any) -> None:
        job = await house.insert()
        child = await house.insert(parents=(job.job_id,))
        await house.run()
        assert await house.engine.cancel([job.job_id], "too late") == 0
        assert await house.states(job, child) == ["completed", "available"]

    in_house(test)


# -- rescues --------------------------------------------------------------------------------------


def test_a_lost_run_gives_its_attempt_back_within_a_limit(in_house: Any) -> None:
    async def test(house: Any) -> None:
        job = await house.insert(max_attempts=1)
        for rescues in range(1, RESCUE_LIMIT + 1):
            claimed = await house.claim()
            assert await house.start(claimed) == rescues
            assert await house.engine.lost(claimed.lease_id, "its node died")
            row = await house.row(job)
            assert (row["state"], row["rescues"]) == ("available", rescues)
            assert row["max_attempts"] == rescues + 1
        claimed = await house.claim()
        await house.start(claimed)
        await house.engine.lost(claimed.lease_id, "its node died")
        row = await house.row(job)
        assert row["state"] == "discarded"
        assert f"died {RESCUE_LIMIT + 1} times" in row["error"]["message"]
        outcomes = [one["outcome"] for one in await house.attempts(job)]
        assert outcomes == ["rescued"] * RESCUE_LIMIT + ["discarded"]

    in_house(test)


def test_what_did_not_start_is_taken_up_as_if_nothing_had_been(in_house: Any) -> None:
    async def test(house: Any) -> None:
        job = await house.insert()
        for _ in range(RESCUE_LIMIT + 2):
            claimed = await house.claim()
            assert await house.engine.lost(claimed.lease_id, "its start was refused")
        row = await house.row(job)
        assert (row["state"], row["attempt"], row["rescues"], row["error"]) == ("available", 0, 0, None)
        assert await house.attempts(job) == []

    in_house(test)


def test_an_application_that_starts_takes_up_what_the_last_one_left(in_house: Any) -> None:
    async def test(house: Any) -> None:
        started, claimed = await house.running(), None
        await house.insert()
        claimed = await house.claim()
        old = staged(house, started, "half.wav")
        (house.config.staging_folder / "a file").write_text("x")
        (house.config.staging_folder / "a link").symlink_to(house.config.data_folder)
        house.engine = house.new_engine()
        assert await house.engine.reconcile() == 2
        assert await house.engine.reconcile() == 0
        assert await house.states(started, claimed) == ["available", "available"]
        assert not old.exists()
        assert list(house.config.staging_folder.iterdir()) == []
        assert house.config.store_file.exists()
        row = await house.row(started)
        assert (row["attempt"], row["max_attempts"], row["rescues"]) == (1, 3, 0)
        assert (await house.attempts(started))[0]["outcome"] == "rescued"
        assert not await house.finish(started)

    in_house(test)


def test_a_reconciliation_that_failed_is_made_up_for(in_house: Any) -> None:
    async def test(house: Any) -> None:
        job = await house.running()
        house.engine = house.new_engine()
        await house.store.stop()
        with pytest.raises(SoundforgeError):
            await house.engine.reconcile()
        house.store = Store(house.config.store_file, fold=fold)
        await house.store.start()
        assert await house.engine.reconcile() == 1
        assert await house.state(job) == "available"

    in_house(test)


def test_what_executes_without_a_lease_is_taken_up_when_seen_twice(in_house: Any) -> None:
    async def test(house: Any) -> None:
        orphan, living = await house.running(), await house.running()
        house.engine.ledger.release(orphan.lease_id)
        assert await house.engine.rescue_orphans() == []
        assert await house.engine.rescue_orphans() == [orphan.lease_id]
        assert await house.states(orphan, living) == ["available", "executing"]
        assert await house.engine.rescue_orphans() == []

    in_house(test)


def test_a_kind_nobody_knows_ends_in_a_sentence(in_house: Any) -> None:
    async def test(house: Any) -> None:
        job = await house.running()
        house.engine.kinds = type(house.engine.kinds)([])
        assert await house.finish(job, Discard(plain_error("x")))
        row = await house.row(job)
        assert row["state"] == "retryable"
        assert "No kind of job is named 'plain' here" in row["error"]["message"]

    in_house(test)


def test_the_wait_before_a_retry_grows_with_faults_and_not_with_rescues(in_house: Any) -> None:
    async def test(house: Any) -> None:
        for options in ({}, {"max_attempts": 5}):
            new = await house.insert(**options)
            for _ in range(3):
                job = await house.claim()
                await house.start(job)
                await house.engine.lost(job.lease_id, "its node died")
            job = await house.claim()
            await house.start(job)
            await house.finish(job, Retry(plain_error("It fell.")))
            row = await house.row(new)
            assert row["attempt"] == 4
            # The kind's wait after a first fault.
            assert (row["scheduled_at"] - house.clock.now()).total_seconds() == 10.0
            await house.engine.cancel([new.job_id], "enough")

    in_house(test)
