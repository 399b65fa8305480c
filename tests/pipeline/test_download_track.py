"""A download's end: a file in its place, a track that knows its bytes, followers that work on it."""

from __future__ import annotations

import dataclasses
import json
from datetime import datetime
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from soundforge_nb.config import Config
from soundforge_nb.errors import LinkError, ProgramError, SoundforgeError
from soundforge_nb.jobs.insertion import insert_jobs
from soundforge_nb.jobs.job import Discard, Job, Outcome, Retry, Snooze
from soundforge_nb.jobs.kind import Context, Record
from soundforge_nb.jobs.table import get_jobs
from soundforge_nb.library import catalog
from soundforge_nb.library.links import LinkedTrack, add_links, placeholder
from soundforge_nb.lifecycle.identifiers import new_id
from soundforge_nb.pipeline.download_track import download_key, wanted_of
from soundforge_nb.pipeline.keys import analysis_request_key, separation_request_key
from soundforge_nb.pipeline.kinds import ANALYZE_STEMS, ANALYZE_TRACK, DOWNLOAD_TRACK, SEPARATE_STEMS
from soundforge_nb.pipeline.link_files import LinkFiles
from soundforge_nb.pipeline.links import read_link
from soundforge_nb.pipeline.options import Analysis, Separation
from soundforge_nb.pipeline.plan import Known, Wishes, plan
from soundforge_nb.pipeline.song_files import SongFiles
from soundforge_nb.ports.downloader import Downloader
from soundforge_nb.ports.supervisor import PortSupervisor
from soundforge_nb.store.session import Session
from soundforge_nb.store.store import Store

NOW = datetime(2026, 5, 1)
LINK = read_link("https://host/a.mp3?sig=secret")
MARK = "ab" * 32
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
    linked = [LinkedTrack(MARK, LINK.shown, LINK.title)] * 2
    (track_id,) = add_links(session, linked, NOW).values()
    (track,) = catalog.tracks(session, [track_id])
    return track


def fetched(
    config: Config, job: Job, title: str | None, staged: str = "audio.mp3", byte_hash: str = "b" * 64
) -> Record:
    return DOWNLOAD_TRACK.record(
        job,
        {
            "staged": staged,
            "names": ["a.mp3"],
            "byte_hash": byte_hash,
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
    assert (track["path"], track["link"], track["byte_hash"]) == (None, LINK.shown, placeholder(MARK))
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
    assert download.unique_key == download_key(MARK)
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
    joined = plan([("a", track)], WISHES, Known(pending={download_key(MARK): job_id}), "batch")
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


def test_a_link_is_whole_only_for_the_child(config: Config, session: Session) -> None:
    (new, *_) = plan([("a", pending(session))], WISHES, Known(), "batch").jobs
    links = LinkFiles(config.links_folder)
    links.keep(MARK, LINK.address)
    job = running(new)
    assert "secret" not in json.dumps(job.as_json())
    wanted = wanted_of(job, config.links_folder)
    assert wanted.link == LINK.address
    assert "secret" not in repr(wanted) + wanted.shown + wanted.partial_name
    links.drop(MARK)
    with pytest.raises(LinkError, match=r"a\.mp3\?… is not kept any more.*Add the link again"):
        wanted_of(job, config.links_folder)


def test_the_bytes_of_another_track_make_it_that_track(config: Config, session: Session) -> None:
    known = pending(session)
    (first, *_) = plan([("a", known)], WISHES, Known(), "batch").jobs
    commit(session, fetched(config, running(first), "One"))
    other = [LinkedTrack("cd" * 32, "https://host/b.mp3", "b")]
    (track_id,) = add_links(session, other, NOW).values()
    (track,) = catalog.tracks(session, [track_id])
    jobs = plan([("b", track)], WISHES, Known(), new_id()).jobs
    insert_jobs(session, jobs, NOW)
    commit(session, fetched(config, running(jobs[0]), "Two"))
    commit(session, fetched(config, running(jobs[0]), "Two"))

    (row,) = catalog.tracks(session)
    assert row["track_id"] == known["track_id"]
    assert row["title"] == "One"
    # Who holds the id of before is led on, beside those who hold the other.
    led = catalog.tracks(session, [track_id, known["track_id"], track_id])
    assert [found["track_id"] for found in led] == [known["track_id"]] * 3
    assert {job["track_id"] for job in get_jobs(session, [job.job_id for job in jobs])} == {known["track_id"]}
    assert add_links(session, other, NOW) == {"cd" * 32: known["track_id"]}
    paths = session.rows("SELECT path, track_id::VARCHAR FROM files ORDER BY path")
    assert len(paths) == 2
    assert {owner for _, owner in paths} == {known["track_id"]}
    assert catalog.stems(session, track_id) == []


@pytest.mark.parametrize("byte_hash", ["c" * 64, "b" * 64])
def test_a_track_that_has_bytes_stays_itself(config: Config, session: Session, byte_hash: str) -> None:
    """Fetched again it may have become another recording; what was made of the old one keeps its track."""
    for mark in (MARK, "cd" * 32):
        (track_id,) = add_links(session, [LinkedTrack(mark, f"https://host/{mark}", "x")], NOW).values()
        (track,) = catalog.tracks(session, [track_id])
        job = running(plan([("a", track)], WISHES, Known(), "batch").jobs[0])
        result = {"byte_hash": "b" * 64 if mark == MARK else "c" * 64}
        commit(session, fetched(config, job, "x", **result))
    commit(session, fetched(config, job, "x", byte_hash=byte_hash))
    assert len(catalog.tracks(session)) == 2


def test_a_song_is_looked_for_by_what_is_kept_beside_its_job(config: Config, session: Session) -> None:
    """And where its file has no tags, it goes by its id: the words expire, the row of a track does not."""
    spotify_id = "6" * 22
    mark = f"spotify:track:{spotify_id}"
    linked = [LinkedTrack(mark, f"https://open.spotify.com/track/{spotify_id}", mark)]
    (track_id,) = add_links(session, linked, NOW).values()
    (track,) = catalog.tracks(session, [track_id])
    known = {"title": "Known", "artist": "Bob", "album": "Works", "isrc": None, "duration_seconds": 3.0}
    (new, *_) = plan([("a", track | known | {"is_looked_for": True})], WISHES, Known(), "batch").jobs
    job = running(new)
    with pytest.raises(LinkError, match="is not kept any more") as caught:
        wanted_of(job, config.links_folder)
    assert caught.value.kind == "link_gone"
    SongFiles(config.links_folder).keep(spotify_id, track | known)
    wanted = wanted_of(job, config.links_folder)
    assert wanted.shown == f"https://open.spotify.com/track/{spotify_id}"
    assert wanted.song == known | {"spotify_id": spotify_id}
    assert wanted.duration_seconds == 3.0
    record = fetched(config, job, None)
    assert record.moves[0].target.name == f"spotify track {spotify_id}.mp3"
    commit(session, record)
    (row,) = catalog.tracks(session, [track_id])
    assert (row["title"], row["artist"], row["album"], row["year"]) == (mark, "Ada", None, 1999)


def answering(error: SoundforgeError, monkeypatch: pytest.MonkeyPatch) -> None:
    def download(*arguments: Any, **options: Any) -> None:
        raise error

    monkeypatch.setattr(Downloader, "download", download)


def test_a_server_that_asks_for_patience_gets_it(
    config: Config, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = plan([("a", pending(session))], WISHES, Known(), "batch").jobs[0]
    LinkFiles(config.links_folder).keep(MARK, LINK.address)
    context = Context(config, PortSupervisor(), lambda *_: None, config.staging_folder, 1, Event())

    def outcome(wait_seconds: float, snoozed: int = 0) -> Outcome:
        details = {"retry": True, "wait_seconds": wait_seconds}
        answering(ProgramError("Busy.", kind="rate_limited", details=details), monkeypatch)
        job = dataclasses.replace(running(new), max_attempts=3 + snoozed + 1, rescues=1)
        return DOWNLOAD_TRACK.process(job, context)

    assert outcome(90.0) == Snooze(90.0, "Busy.")
    assert outcome(90.0, snoozed=19) == Snooze(90.0, "Busy.")
    assert isinstance(outcome(90.0, snoozed=20), Retry)
    assert isinstance(outcome(0.0), Retry)
    too_long = outcome(200_000.0)
    assert isinstance(too_long, Discard)
    assert "a wait of 56 hours" in str(too_long.error["remedy"])
