"""Processes are killed in the middle of a batch: every track is finished exactly once, its stems whole."""

from __future__ import annotations

import os
import signal

import psutil
import pytest
import soundfile

import soundforge_nb as sf

SONGS = 3


@pytest.fixture
def songs(song, tmp_path):
    return [song(tmp_path / f"song {n}.wav", seconds=5 + n, seed=n) for n in range(SONGS)]


def assert_finished_exactly_once(forge, batch, songs):
    assert batch.ok, batch
    jobs = forge.sql("SELECT kind, state FROM jobs").df()
    assert len(jobs) == 2 * SONGS
    assert set(jobs["state"]) == {"completed"}
    doubles = forge.sql(
        "SELECT track_id, stem, count(*) AS n FROM stems GROUP BY ALL HAVING n <> 1 "
        "UNION ALL SELECT track_id, source, count(*) FROM analyses GROUP BY ALL HAVING count(*) <> 1"
    )
    assert len(doubles) == 0
    completed = forge.sql(
        "SELECT job_id, count(*) AS n FROM attempts WHERE outcome = 'completed' GROUP BY ALL"
    )
    assert [row["n"] for row in completed.dicts()] == [1] * (2 * SONGS)
    results = batch.results()
    assert len(results) == SONGS
    for file, (_, row) in zip(songs, results.iterrows(), strict=True):
        assert set(row["stems"]) == {"drums", "bass", "other", "vocals"}
        for path in row["stems"].values():
            assert soundfile.info(path).frames == soundfile.info(file).frames


def _begun(forge, songs, watcher, is_separating):
    """A batch of which a separation is in the middle of its work."""
    watching = watcher(forge)
    batch = forge.process(songs, separate="demo", analyze="energy")
    watching.wait_for(is_separating)
    watching.close()
    return batch


@pytest.mark.timeout(300)
def test_a_child_is_killed(own_folder, songs, watcher, application, is_separating):
    with sf.connect(data_folder=own_folder) as forge:
        batch = _begun(forge, songs, watcher, is_separating)
        victim = application(own_folder).children("separate")[0]
        victim.send_signal(signal.SIGKILL)

        assert batch.wait(250, progress=False)

        assert_finished_exactly_once(forge, batch, songs)
        (error,) = forge.sql("SELECT error FROM attempts WHERE outcome = 'retry'").dicts()
        assert "SIGKILL" in error["error"]


@pytest.mark.timeout(300)
def test_a_dask_worker_is_killed(own_folder, songs, watcher, application, is_separating):
    with sf.connect(data_folder=own_folder) as forge:
        batch = _begun(forge, songs, watcher, is_separating)
        house = application(own_folder)
        ports = house.children("separate")
        (dask_worker,) = {port.parent() for port in ports}
        dask_worker.send_signal(signal.SIGKILL)

        _, orphans = psutil.wait_procs(ports, timeout=10)
        assert not orphans, "a child outlived its Dask worker"
        assert batch.wait(250, progress=False)

        assert_finished_exactly_once(forge, batch, songs)
        assert len(forge.sql("SELECT * FROM attempts WHERE outcome = 'rescued'")) >= 1


@pytest.mark.timeout(300)
def test_the_application_is_killed(own_folder, songs, watcher, application, is_separating):
    forge = sf.connect(data_folder=own_folder)
    batch_id = _begun(forge, songs, watcher, is_separating).batch_id
    everyone = application(own_folder).everyone()
    os.kill(application(own_folder).process.pid, signal.SIGKILL)
    _, left = psutil.wait_procs(everyone, timeout=20)
    assert not left, "somebody outlived the application"
    forge.close()

    with sf.connect(data_folder=own_folder) as forge:
        batch = forge.batch(batch_id)
        assert batch.wait(250, progress=False)

        assert_finished_exactly_once(forge, batch, songs)
        assert not list((own_folder / "staging").iterdir())


@pytest.mark.timeout(300)
def test_the_application_is_killed_under_a_waiting_client(
    own_folder, songs, watcher, application, is_separating, capsys
):
    with sf.connect(data_folder=own_folder) as forge:
        batch = _begun(forge, songs, watcher, is_separating)
        os.kill(application(own_folder).process.pid, signal.SIGKILL)

        assert batch.wait(250, progress=False)

        assert_finished_exactly_once(forge, batch, songs)
        watching = watcher(forge)
        again = forge.process(songs[0], analyze="key")
        watching.wait_for(lambda body: body.get("kind") == "analyze_track" and body["state"] == "completed")
        assert again.wait(60, progress=False)
    told = capsys.readouterr().err
    assert "was lost; trying again" in told
    assert "is back" in told
    assert "Traceback" not in told


@pytest.mark.timeout(200)
def test_a_running_job_is_cancelled(own_folder, songs, watcher, application, is_separating):
    with sf.connect(data_folder=own_folder) as forge:
        batch = _begun(forge, songs, watcher, is_separating)
        children = application(own_folder).children("separate")

        assert batch.cancel() >= 1

        _, left = psutil.wait_procs(children, timeout=10)
        assert not left
        assert batch.wait(60, progress=False)
        states = forge.sql("SELECT state, message FROM jobs WHERE kind = 'separate_stems'").df()
        assert set(states["state"]) == {"cancelled"}
        assert set(states["message"]) == {"the batch was cancelled"}
        assert len(forge.sql("SELECT * FROM stems")) == 0

        assert batch.retry() >= 1
        assert batch.wait(150, progress=False)
        assert_finished_exactly_once_after_retry(forge, batch)


def assert_finished_exactly_once_after_retry(forge, batch):
    assert batch.ok, batch
    assert len(forge.sql("SELECT * FROM stems")) == 4 * SONGS


@pytest.mark.timeout(200)
def test_stop_and_go_on(own_folder, songs, watcher, is_separating):
    from soundforge_nb import cli

    with sf.connect(data_folder=own_folder) as forge:
        batch_id = _begun(forge, songs, watcher, is_separating).batch_id
    assert cli.main(["stop", "--data-folder", str(own_folder)]) == 0

    with sf.connect(data_folder=own_folder) as forge:
        batch = forge.batch(batch_id)
        assert batch.wait(150, progress=False)
        assert_finished_exactly_once(forge, batch, songs)
