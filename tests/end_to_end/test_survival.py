"""Kills at any moment of a start or an end, an upgrade, a machine that slept: the jobs go on, once."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

import soundforge_nb as sf
from soundforge_nb import cli
from soundforge_nb.cluster.discovery import RPC_PROTOCOL, read_whereabouts
from soundforge_nb.jobs import lifeline

KILLS = 6
#: How long a start takes here, about; the kills are spread over it.
START_SECONDS = 3.5
#: How often the lifeline may look before the Dask workers wake.
LOOKS = 2


def _serve(folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "soundforge_nb.cli", "serve", "--data-folder", str(folder)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _family(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    try:
        return psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _wait_for_scheduler_file(folder: Path) -> None:
    until = time.monotonic() + 60
    while not (folder / "scheduler.json").exists():
        assert time.monotonic() < until, "it did not come up"
        time.sleep(0.02)


@pytest.mark.timeout(200)
def test_killed_at_any_moment_of_its_start(own_folder):
    seed = int(os.environ.get("SOUNDFORGE_TEST_SEED", time.time()))
    moments = random.Random(seed)
    print(f"seed {seed}")
    left: list[psutil.Process] = []
    for number in range(KILLS):
        with _serve(own_folder) as process:
            # The moment is the point of this test; there is no event to wait for.
            time.sleep(moments.uniform(number, number + 1) / KILLS * START_SECONDS)
            left += _family(process)
            process.kill()

    _, alive = psutil.wait_procs(left, timeout=20)
    assert not alive, "a Dask worker outlived its application"
    with sf.connect(data_folder=own_folder) as forge:
        assert forge.status()["healthy"]
        assert len(forge.tracks()) == 0


@pytest.mark.timeout(200)
def test_killed_at_any_moment_of_its_end(own_folder, song, tmp_path):
    seed = int(os.environ.get("SOUNDFORGE_TEST_SEED", time.time()))
    moments = random.Random(seed)
    print(f"seed {seed}")
    with sf.connect(data_folder=own_folder) as forge:
        forge.add(song(tmp_path / "kept.wav", seconds=1))
    assert cli.main(["stop", "--data-folder", str(own_folder)]) == 0
    for number in range(3):
        with _serve(own_folder) as process:
            _wait_for_scheduler_file(own_folder)
            left = _family(process)
            process.send_signal(signal.SIGTERM)
            time.sleep(moments.uniform(number, number + 1) * 0.2)
            process.kill()
        _, alive = psutil.wait_procs(left, timeout=20)
        assert not alive

    with sf.connect(data_folder=own_folder) as forge:
        assert forge.status()["healthy"]
        assert list(forge.tracks()["title"]) == ["kept"]


@pytest.mark.timeout(120)
@pytest.mark.parametrize("step", [-1, 1], ids=["older", "newer"])
def test_an_application_of_another_protocol_is_noticed_and_restarted(own_folder, step, monkeypatch, capsys):
    with sf.connect(data_folder=own_folder):
        file = own_folder / "scheduler.json"
        content = json.loads(file.read_text())
        content |= {"protocol": RPC_PROTOCOL + step, "version": "9.9.9", "a_later_field": True}
        file.write_text(json.dumps(content))
    with pytest.raises(sf.SoundforgeError, match=r"version 9\.9\.9 .*Run: soundforge restart"):
        sf.connect(data_folder=own_folder)
    # At an address there is no file to read: the handshake itself tells.
    with monkeypatch.context() as patch:
        patch.setattr("soundforge_nb.forge.forge.RPC_PROTOCOL", RPC_PROTOCOL - step)
        with pytest.raises(sf.SoundforgeError, match="Run: soundforge restart"):
            sf.connect(content["address"], data_folder=own_folder)

    assert cli.main(["restart", "--data-folder", str(own_folder)]) == 0

    assert read_whereabouts(file).pid != content["pid"]
    with sf.connect(data_folder=own_folder) as forge:
        assert forge.status()["healthy"]


def test_another_version_of_the_same_protocol_is_said_and_served(forge, monkeypatch, capsys):
    monkeypatch.setattr(sf, "__version__", "9.9.9")

    with sf.connect(data_folder=forge.config.data_folder) as newer:
        assert newer.status()["healthy"]

    assert "this is 9.9.9; they understand each other. soundforge restart" in capsys.readouterr().err


@pytest.mark.timeout(200)
def test_a_restart_lets_what_runs_end_and_hands_out_nothing_new(
    own_folder, song, tmp_path, watcher, is_separating
):
    songs = [song(tmp_path / f"song {n}.wav", seconds=6, seed=n) for n in range(3)]
    with sf.connect(data_folder=own_folder, processing_limit=1) as forge:
        watching = watcher(forge)
        batch = forge.process(songs, separate="demo")
        watching.wait_for(is_separating)
        watching.close()
        batch_id = batch.batch_id
        before = read_whereabouts(own_folder / "scheduler.json").pid

    assert cli.main(["restart", "--data-folder", str(own_folder)]) == 0

    assert read_whereabouts(own_folder / "scheduler.json").pid != before
    with sf.connect(data_folder=own_folder) as forge:
        attempts = forge.sql("SELECT started_at, outcome, dask_worker FROM attempts ORDER BY ALL").dicts()
        assert attempts[0]["outcome"] == "completed", "the one that ran was not let end"
        assert forge.batch(batch_id).wait(150, progress=False)
        attempts = forge.sql("SELECT dask_worker, outcome FROM attempts ORDER BY started_at").dicts()
    assert [attempt["outcome"] for attempt in attempts] == ["completed"] * 3
    assert attempts[0]["dask_worker"] != attempts[1]["dask_worker"], "a job was begun while it drained"


@pytest.mark.timeout(200)
def test_the_machine_slept(own_folder, song, tmp_path, watcher, application, is_separating):
    lease_seconds = 4.0
    songs = [song(tmp_path / f"song {n}.wav", seconds=8, seed=n) for n in range(2)]
    with sf.connect(data_folder=own_folder, lease_seconds=lease_seconds) as forge:
        watching = watcher(forge)
        batch = forge.process(songs, separate="demo")
        watching.wait_for(is_separating)
        watching.close()
        house = application(own_folder)
        dask_workers = {process.pid for process in house.dask_workers()}
        everyone = house.everyone()
        for process in everyone:
            process.suspend()
        # The sleep itself: longer than any lease and than the gap that counts as one.
        time.sleep(2.5 * lease_seconds)
        # The hardest order: the application wakes, and looks around, before those it watches.
        house.process.resume()
        time.sleep(LOOKS * lifeline.TICK_SECONDS)
        for process in everyone:
            process.resume()

        assert batch.wait(150, progress=False)

        assert batch.ok
        attempts = forge.sql("SELECT outcome, error FROM attempts").dicts()
        assert [attempt["outcome"] for attempt in attempts] == ["completed"] * len(songs), attempts
        assert {process.pid for process in house.dask_workers()} == dask_workers
