"""A download's end: a file in its place, a track that knows its bytes, followers that work on it."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from soundforge_nb.config import Config
from soundforge_nb.jobs.job import Job
from soundforge_nb.jobs.kind import Record
from soundforge_nb.library import catalog
from soundforge_nb.library.links import LinkedTrack, add_links
from soundforge_nb.lifecycle.identifiers import new_id
from soundforge_nb.pipeline.download_track import download_key, wanted_of
from soundforge_nb.pipeline.keys import analysis_request_key, separation_request_key
from soundforge_nb.pipeline.kinds import ANALYZE_STEMS, ANALYZE_TRACK, DOWNLOAD_TRACK, SEPARATE_STEMS
from soundforge_nb.pipeline.links import read_link
from soundforge_nb.pipeline.options import Analysis, Separation
from soundforge_nb.pipeline.plan import Known, Wishes, plan
from soundforge_nb.store.session import Session
from soundforge_nb.store.store import Store

NOW = datetime(2026, 5, 1)
LINK = read_link("https://host/a.mp3?sig=secret")
WISHES = Wishes(Separation("demo"), Analysis(("key",)), Analysis(("tempo",)))
AUDIO = {"duration_seconds": 2.5, "sample_rate_hz": 44_100, "channels": 2, "decoded_hash": "d" * 64}


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(data_folder=tmp_path)


@pytest.fixture
def session(config: Config) -> Any:
    store = Store(config.store_file)
    store.open()
    with store.cursor() as connection:
        yield Session(connection)
    store.close()


def pending(session: Session) -> dict[str, Any]:
    linked = [LinkedTrack(LINK.address, LINK.placeholder, LINK.title)] * 2
    (track_id,) = add_links(session, linked, NOW).values()
    (track,) = catalog.tracks(session, [track_id])
    return track


def fetched(config: Config, job: Job, title: str | None, staged: str = "audio.mp3") -> Record:
    return DOWNLOAD_TRACK.record(
        job,
        {
            "staged": staged,
            "names": ["a.mp3"],
            "byte_hash": "b" * 64,
            "size_bytes": 5,
            "mtime_ns": 7,
            "tags": {"title": title, "artist": "Ada", "year": 1999},
            "audio": AUDIO,
        },
        config,
        NOW,
    )


def running(new: Any, parents: dict[str, dict[str, Any]] | None = None) -> Job:
    return Job(
        new.job_id,
        new.kind,
        new.queue,
        new.args,
        1,
        2,
        new_id(),
        track_id=new.track_id,
        parents=parents or {},
    )


def commit(session: Session, record: Record) -> None:
    for insert in record.inserts:
        session.insert(insert.table, insert.columns, insert.rows, insert.unless, insert.replace)
    for update in record.updates:
        session.execute(update.sql, update.parameters)


def test_a_pending_track_is_planned_from_its_download_on(session: Session) -> None:
    track = pending(session)
    assert (track["path"], track["link"], track["byte_hash"]) == (None, LINK.address, LINK.placeholder)
    planned = plan([("a", track), ("b", track)], WISHES, Known(), "batch")
    download, separate, analyze, stems = planned.jobs
    assert [job.kind for job in planned.jobs] == [
        *("download_track", "separate_stems", "analyze_track", "analyze_stems")
    ]
    assert (download.parents, separate.parents, analyze.parents) == (
        (),
        (download.job_id,),
        (download.job_id,),
    )
    assert stems.parents == (separate.job_id,)
    assert download.unique_key == download_key(LINK.address)
    assert [entry.step for entry in planned.inputs][:4] == [
        "download",
        "separate",
        "analyze",
        "analyze_stems",
    ]
    # Asked for twice it is done once.
    assert [entry.job_id for entry in planned.inputs[:4]] == [entry.job_id for entry in planned.inputs[4:]]


def test_what_is_under_way_or_here_is_not_fetched(session: Session) -> None:
    track = pending(session)
    job_id = new_id()
    joined = plan([("a", track)], WISHES, Known(pending={download_key(LINK.address): job_id}), "batch")
    assert joined.jobs[0].parents == (job_id,)
    here = plan([("a", track | {"path": "/a.mp3"})], WISHES, Known(), "batch")
    assert [job.kind for job in here.jobs] == ["separate_stems", "analyze_track", "analyze_stems"]


def test_the_file_gets_its_place_and_its_followers_work_on_it(config: Config, session: Session) -> None:
    track = pending(session)
    download, separate, analyze, of_stems = plan([("a", track)], WISHES, Known(), "batch").jobs
    job = running(download)
    record = fetched(config, job, "Real title")
    target = config.downloads_folder / track["track_id"] / "Real title.mp3"
    assert [(move.source, move.target) for move in record.moves] == [
        (config.staging_folder / job.lease_id / "audio.mp3", target)
    ]
    commit(session, record)
    commit(session, record)
    (row,) = catalog.tracks(session, [track["track_id"]])
    assert (row["path"], row["title"], row["artist"], row["year"]) == (str(target), "Real title", "Ada", 1999)
    assert (row["byte_hash"], row["audio_hash"], row["duration_seconds"]) == ("b" * 64, "d" * 64, 2.5)

    result = {"columns": {"tempo": 1.0}, "features": {}, "curves": {}, "audio": AUDIO}
    made = ANALYZE_TRACK.record(running(analyze, {job.job_id: record.result}), result, config, NOW)
    (analysis,) = made.inserts[0].rows
    assert analysis["byte_hash"] == "b" * 64
    assert analysis["request_key"] == analysis_request_key("b" * 64, Analysis(("key",)))

    separated = SEPARATE_STEMS.record(
        running(separate, {job.job_id: record.result}),
        {"stems": [], "model": {"sha256": "w"}, "code_version": 1, "audio": AUDIO},
        config,
        NOW,
    )
    key = separation_request_key("b" * 64, Separation("demo"))
    assert separated.inserts[1].rows[0]["request_key"] == separated.result["request_key"] == key

    stems = {"stems": [{**result, "stem": "vocals", "stem_id": new_id()}]}
    measured = ANALYZE_STEMS.record(
        running(of_stems, {separate.job_id: separated.result}), stems, config, NOW
    )
    (row,) = measured.inserts[0].rows
    assert row["byte_hash"] == "b" * 64
    assert row["request_key"] == analysis_request_key("b" * 64, Analysis(("tempo",)), f"stems of {key}")


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("../../etc/passwd", "etc passwd.mp3"),
        ("/absolute", "absolute.mp3"),
        ("con", "_con.mp3"),
        ("a\0b\n", "a b.mp3"),
        ("…" * 300, None),
        ("..", "untitled.mp3"),
        (None, "a.mp3"),
    ],
)
def test_no_title_leads_out_of_the_folder(
    config: Config, session: Session, title: str | None, name: str | None
) -> None:
    track = pending(session)
    job = running(plan([("a", track)], WISHES, Known(), "batch").jobs[0])
    (move,) = fetched(config, job, title).moves
    assert move.target.parent == config.downloads_folder / track["track_id"]
    assert len(move.target.name.encode()) <= 120
    assert move.target.suffix == ".mp3"
    assert name is None or move.target.name == name


@pytest.mark.parametrize("staged", ["..", "", "a/.."])
def test_a_child_s_name_chooses_no_place(config: Config, session: Session, staged: str) -> None:
    job = running(plan([("a", pending(session))], WISHES, Known(), "batch").jobs[0])
    with pytest.raises(ValueError, match="the downloader named its file"):
        fetched(config, job, "x", staged)
    (move,) = fetched(config, job, "x", "../../escape.exe").moves
    assert move.source == config.staging_folder / job.lease_id / "escape.exe"
    assert move.target.name == "x.audio"


def test_what_may_be_a_key_in_a_link_is_not_shown(session: Session) -> None:
    job = running(plan([("a", pending(session))], WISHES, Known(), "batch").jobs[0])
    wanted = wanted_of(job)
    assert wanted.link == LINK.address
    assert "secret" not in wanted.shown + wanted.partial_name
    assert dataclasses.asdict(wanted)["duration_seconds"] is None
