"""Songs in; stems, analyses and SQL out."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import soundfile


@pytest.mark.timeout(300)
def test_a_song_becomes_stems_an_analysis_and_rows(forge, song, tmp_path):
    original = song(tmp_path / "songs" / "Night Drive.wav", seconds=9, seed=1)
    before = original.read_bytes()
    output = tmp_path / "out"
    tracks = forge.add(tmp_path / "songs")
    batch = forge.process(
        tracks, separate="demo", analyze="all", analyze_stems="energy", output_folder=output
    )

    assert batch.wait(timeout_seconds=240)

    assert batch.ok, batch
    (row,) = batch.results().to_dict("records")
    assert row["title"] == "Night Drive"
    assert row["tempo"] == pytest.approx(120, rel=0.02)
    assert row["key"] == "A minor"
    assert set(row["stems"]) == {"drums", "bass", "other", "vocals"}
    assert original.read_bytes() == before

    mixture, _ = soundfile.read(original)
    stems = [soundfile.read(path)[0] for path in row["stems"].values()]
    missing = mixture - np.sum(stems, axis=0)
    residual_db = 10 * np.log10(np.sum(missing**2) / np.sum(mixture**2))
    assert row["null_residual_db"] == pytest.approx(residual_db, abs=0.05)

    answered = forge.sql(
        "SELECT source, count(*) AS n FROM analyses JOIN tracks USING (track_id) "
        "WHERE title = 'Night Drive' GROUP BY source"
    ).dicts()
    assert {entry["source"] for entry in answered} == {"mixture", "drums", "bass", "other", "vocals"}
    assert set(forge.jobs(batch)["state"]) == {"completed"}

    manifest = json.loads((output / "manifest.json").read_text())
    assert manifest["account"] == {"total": 1, "done": 1, "failed": 0, "under_way": 0}
    assert {Path(entry["path"]).name for entry in manifest["outputs"]} == {
        "drums.wav", "bass.wav", "other.wav", "vocals.wav", "analysis.json",
    }  # fmt: skip
    for entry in manifest["outputs"]:
        content = (output / entry["path"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == entry["sha256"]


@pytest.mark.timeout(200)
def test_finished_work_is_not_done_again(forge, song, tmp_path):
    file = song(tmp_path / "again.wav", seconds=3, seed=2)
    first = forge.process(file, separate="demo", analyze="energy")
    assert first.wait(150)
    copy = tmp_path / "the same song.wav"
    shutil.copy(file, copy)

    tracks = forge.add(file, copy)
    second = forge.process(tracks, separate="demo", analyze="energy")

    assert tracks[0].track_id == tracks[1].track_id
    assert second.wait(30)
    assert set(second.account()["status"]) == {"reused"}
    assert len(forge.jobs(second)) == 0


@pytest.mark.timeout(200)
def test_two_batches_at_once_share_the_work(forge, song, tmp_path):
    file = song(tmp_path / "shared.wav", seconds=3, seed=3)
    first = forge.process(file, analyze="energy")
    second = forge.process(file, analyze="energy")

    assert first.wait(100)
    assert second.wait(100)

    assert second.ok
    assert len(forge.jobs(first)) + len(forge.jobs(second)) == 1


@pytest.mark.timeout(200)
def test_minus_one_in_flac(forge, song, tmp_path):
    file = song(tmp_path / "karaoke.wav", seconds=3, seed=4)
    batch = forge.process(file, separate={"model": "demo", "two_stems": "vocals", "format": "flac"})

    assert batch.wait(150)

    (row,) = batch.results().to_dict("records")
    assert set(row["stems"]) == {"vocals", "no_vocals"}
    mixture, _ = soundfile.read(file)
    both = sum(soundfile.read(path)[0] for path in row["stems"].values())
    np.testing.assert_allclose(both, mixture, atol=2e-6)


@pytest.mark.timeout(200)
def test_a_batch_shows_its_own_results_whatever_came_later(forge, song, tmp_path):
    file = song(tmp_path / "twice.wav", seconds=2, seed=7)
    first = forge.process(
        file, separate={"model": "demo", "stems": ["bass"]}, analyze="energy", output_folder=tmp_path / "out"
    )
    assert first.wait(100)
    second = forge.process(file, separate={"model": "demo", "two_stems": "drums"}, analyze=["key", "energy"])
    assert second.wait(100)

    (of_first,) = first.results().to_dict("records")
    (of_second,) = second.results().to_dict("records")

    assert set(of_first["stems"]) == {"bass"}
    assert pd.isna(of_first["key"])
    assert set(of_second["stems"]) == {"drums", "no_drums"}
    assert of_second["key"] == "A minor"
    again = forge.process(
        file,
        separate={"model": "demo", "stems": ["bass"]},
        analyze="energy",
        output_folder=tmp_path / "again",
    )
    assert again.wait(30)
    for name in ("analysis.json", "bass.wav"):
        assert (tmp_path / "again" / "twice" / name).read_bytes() == (
            tmp_path / "out" / "twice" / name
        ).read_bytes()


@pytest.mark.timeout(120)
def test_a_batch_can_be_awaited(forge, song, tmp_path):
    batch = forge.process(song(tmp_path / "awaited.wav", seconds=2, seed=5), analyze="energy")

    async def wait() -> bool:
        return (await batch).ok

    assert asyncio.run(wait())


@pytest.mark.timeout(120)
def test_a_picture_of_a_track(forge, song, tmp_path):
    file = song(tmp_path / "$picture$ <b>.wav", seconds=2, seed=6)
    batch = forge.process(file, analyze=["energy", "chroma"])
    assert batch.wait(100)

    figure = forge.plot(forge.add(file)[0])

    figure.savefig(tmp_path / "picture.png")
    assert (tmp_path / "picture.png").stat().st_size > 10_000
