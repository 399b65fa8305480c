"""Thousands of files with bad ones among them: nothing is dropped, and each way of asking says the same."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest

import soundforge_nb as sf
from soundforge_nb import cli

FILES, BAD = 10_000, 100
#: What goes through `process`: some good, in copies too, all that is bad.
GOOD_SONGS, COPIES, CUT = 8, 12, 4


def _wav(seed: int, announced: int = 0) -> bytes:
    """A twentieth of a second; with `announced`, a header that says there is more than there is."""
    samples = np.random.default_rng(seed).integers(-3000, 3000, 400, dtype=np.int16).tobytes()
    size = announced or len(samples)
    header = struct.pack(
        "<4sI4s4sIHHIIHH", b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, 1, 8000, 16000, 2, 16
    )
    return header + struct.pack("<4sI", b"data", size) + samples


@pytest.mark.timeout(120)
def test_ten_thousand_files_of_which_a_hundred_are_bad_are_added(own_folder, tmp_path):
    music = tmp_path / "music"
    music.mkdir()
    for number in range(FILES):
        bad = number % (FILES // BAD) == 50
        (music / f"{number:05d}.wav").write_bytes(b"These are words." if bad else _wav(number))
    with sf.connect(data_folder=own_folder) as forge:
        tracks = forge.add(music)

        assert (len(tracks), len(tracks.rejected)) == (FILES - BAD, BAD)
        for entry in tracks.rejected:
            assert f"{Path(entry.name).name} is not audio" in str(entry)
        assert len({track.track_id for track in tracks}) == FILES - BAD
        assert forge.sql("SELECT count(*) AS n FROM tracks").dicts() == [{"n": FILES - BAD}]


@pytest.fixture(scope="module")
def music(tmp_path_factory):
    """About two hundred files, half of them bad: some by their first look, some only in the decoder."""
    music = tmp_path_factory.mktemp("many")
    for song in range(GOOD_SONGS):
        for copy in range(COPIES):
            (music / f"good {song}-{copy}.wav").write_bytes(_wav(song))
    for number in range(BAD - CUT):
        (music / f"words {number}.wav").write_bytes(b"These are words." if number % 2 else b"")
    for number in range(CUT):
        (music / f"cut {number}.wav").write_bytes(_wav(100 + number, announced=16_000))
    return music


@pytest.fixture(scope="module")
def batch(shared_folder, music):
    with sf.connect(data_folder=shared_folder) as forge:
        # Some of it has been measured before.
        assert forge.process(music / "good 0-0.wav", analyze="energy").wait(100, progress=False)
        batch = forge.process(music, analyze="energy")
        assert batch.wait(250, progress=False)
        yield batch


def _expected() -> dict[str, int]:
    good = GOOD_SONGS * COPIES
    return {"total": good + BAD, "done": good, "failed": BAD, "under_way": 0}


@pytest.mark.timeout(400)
def test_the_account_adds_up(batch, music):
    account = batch.account()

    assert batch.snapshot()["inputs"] == _expected()
    # One row an input here: each in exactly one state, and none missing.
    assert sorted(account["name"]) == sorted(str(file) for file in music.iterdir())
    counts = account["status"].value_counts().to_dict()
    assert counts == {"done": (GOOD_SONGS - 1) * COPIES, "reused": COPIES, "failed": BAD}
    for row in account.to_dict("records"):
        good = Path(row["name"]).name.startswith("good")
        assert (row["status"] != "failed") == good
        if not good:
            assert Path(row["name"]).name in row["sentence"]


def test_copies_are_measured_once(batch, forge):
    runs = forge.sql(
        "SELECT DISTINCT job_id, attempt FROM jobs JOIN batch_inputs USING (job_id) "
        f"WHERE batch_inputs.batch_id = '{batch.batch_id}'"
    ).dicts()
    assert [run["attempt"] for run in runs] == [1] * (GOOD_SONGS - 1 + CUT)


@pytest.mark.timeout(200)
def test_a_retry_runs_what_failed_and_nothing_else(batch, forge):
    before = _finished(forge)

    # What was refused by its first look has no job: it would have to be added anew.
    assert batch.retry() == CUT
    assert batch.wait(150, progress=False)

    assert batch.snapshot()["inputs"] == _expected()
    after = _finished(forge)
    again = {job_id for job_id in after if after[job_id] != before[job_id]}
    failed = batch.account().query("status == 'failed' and job_id.notna()")
    assert again == set(failed["job_id"])


def _finished(forge):
    rows = forge.sql("SELECT job_id::VARCHAR AS job_id, count(*) AS n FROM attempts GROUP BY ALL").dicts()
    return {row["job_id"]: row["n"] for row in rows}


@pytest.mark.timeout(200)
def test_the_shell_and_the_manifest_say_the_same(batch, music, forge, tmp_path, capsys):
    output = tmp_path / "out"
    folder = str(forge.config.data_folder)
    wanted = ["--analyze", "energy", "--output-folder", str(output)]
    status = cli.main(["process", "--data-folder", folder, "--json", *wanted, str(music)])

    assert status == 1
    answer = json.loads(capsys.readouterr().out)
    manifest = json.loads((output / "manifest.json").read_text())
    assert answer["inputs"] == manifest["account"] == _expected()
    assert len(answer["failures"]) == BAD
    told = {entry["name"]: entry["error"] for entry in manifest["inputs"] if entry["status"] == "failed"}
    assert told == {entry["name"]: entry["error"] for entry in answer["failures"]}
    assert set(told) == set(batch.errors()["name"])
