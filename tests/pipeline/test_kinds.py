"""What a completed job leaves behind: rows and files that belong together, however often it ran."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from soundforge_nb.config import Config
from soundforge_nb.errors import ConfigError, PortCancelled, PortCrashed, ProgramError
from soundforge_nb.jobs.files import move_into_place
from soundforge_nb.jobs.job import Cancel, Discard, Job, Retry
from soundforge_nb.jobs.kind import Kind, Record
from soundforge_nb.library import catalog
from soundforge_nb.lifecycle.identifiers import new_id
from soundforge_nb.pipeline.kinds import ANALYZE_STEMS, ANALYZE_TRACK, SEPARATE_STEMS, kinds_of
from soundforge_nb.pipeline.options import Separation
from soundforge_nb.pipeline.outcomes import outcome_of
from soundforge_nb.pipeline.plan import files_are_there
from soundforge_nb.store.session import Session
from soundforge_nb.store.store import Store

NOW = datetime(2026, 5, 1)
TRACK = new_id()
AUDIO = {"duration_seconds": 2.5, "sample_rate_hz": 44_100, "channels": 2, "decoded_hash": "d" * 64}
COLUMNS = {
    "tempo": 120.0,
    "key": "A minor",
    "energy": 0.2,
    "spectral_centroid": 1.0,
    "spectral_rolloff": 2.0,
    "zero_crossing_rate": 0.1,
}


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(data_folder=tmp_path)


@pytest.fixture
def session(config: Config) -> Iterator[Session]:
    store = Store(config.store_file)
    store.open()
    with store.cursor() as connection:
        session = Session(connection)
        track = {
            "track_id": TRACK,
            "byte_hash": "h",
            "title": "Song",
            "duration_seconds": 9.0,
            "added_at": NOW,
        }
        session.insert("tracks", catalog.TRACK_COLUMNS, [track])
        yield session
    store.close()


def job(kind: str, queue: str, **args: Any) -> Job:
    args = {"request_key": "request", "byte_hash": "h", "path": "/a.wav"} | args
    return Job(new_id(), kind, queue, args, 1, 2, new_id(), track_id=TRACK)


def commit(session: Session, record: Record) -> None:
    """As the acknowledgement does: files first, then rows."""
    move_into_place(record.moves)
    for insert in record.inserts:
        session.insert(insert.table, insert.columns, insert.rows, insert.unless, insert.replace)
    for update in record.updates:
        session.execute(update.sql, update.parameters)


def separated(
    config: Config,
    session: Session,
    content: bytes = b"sound",
    *,
    request: str = "request",
    separation: Separation | None = None,
    files: tuple[str, ...] = ("vocals.wav", "drums.wav"),
) -> Record:
    separation = separation or Separation("demo")
    run = job("separate_stems", "processing", separation=separation.as_json(), request_key=request)
    staging = config.staging_folder / run.lease_id
    staging.mkdir(parents=True)
    stems = []
    for file in files:
        name = Path(file).name
        if name not in ("", ".."):
            (staging / name).write_bytes(content)
        stems.append(
            {
                "stem": Path(file).stem,
                "file": file,
                "bytes": len(content),
                "sha256": hashlib.sha256(content).hexdigest(),
                "duration_seconds": 2.5,
                "sample_rate_hz": 44_100,
                "channels": 2,
                "peak": 0.5,
                "rms": 0.1,
                "envelope": [0.0, 1.0],
            }
        )
    result = {
        "stems": stems,
        "model": {"name": "demo", "sha256": "w" * 64},
        "code_version": 1,
        "null_residual_db": -80.0,
        "audio": AUDIO,
    }
    record = SEPARATE_STEMS.record(run, json.loads(json.dumps(result)), config, NOW)
    commit(session, record)
    return record


def check_files(rows: list[dict[str, Any]]) -> None:
    assert files_are_there(rows)
    for row in rows:
        assert hashlib.sha256(Path(row["path"]).read_bytes()).hexdigest() == row["sha256"]


def test_stems_are_moved_and_have_rows(config: Config, session: Session) -> None:
    record = separated(config, session)
    rows = catalog.stems(session, TRACK)
    assert sorted(row["stem"] for row in rows) == ["drums", "vocals"]
    check_files(rows)
    assert Path(rows[0]["path"]).parent == config.stems_folder / TRACK / rows[0]["content_key"][:12]
    assert rows[0]["envelope"] == [0.0, 1.0]
    assert {stem["stem_id"] for stem in record.result["stems"]} == {row["stem_id"] for row in rows}
    assert record.result["null_residual_db"] == -80.0
    assert set(catalog.stems_by_request(session, ["request"])) == {"request"}
    (track,) = catalog.tracks(session)
    assert (track["duration_seconds"], track["sample_rate_hz"], track["channels"]) == (2.5, 44_100, 2)
    assert track["audio_hash"] == "d" * 64


def test_stems_made_again_give_way_row_and_file_alike(config: Config, session: Session) -> None:
    """They were lost, or random shifts gave other bytes; who refers to them still finds them."""
    first = separated(config, session, b"sound")
    second = separated(config, session, b"other sound")
    rows = catalog.stems(session, TRACK)
    assert len(rows) == 2
    check_files(rows)
    assert first.result["stems"][0]["stem_id"] == second.result["stems"][0]["stem_id"]


def test_another_request_for_the_same_stems_finds_them_too(config: Config, session: Session) -> None:
    separated(config, session, b"sound", request="one")
    separated(config, session, b"other", request="two", separation=Separation("other name"))
    found = catalog.stems_by_request(session, ["one", "two", "three"])
    assert set(found) == {"one", "two"}
    assert [row["stem_id"] for row in found["one"]] == [row["stem_id"] for row in found["two"]]
    check_files(found["one"])
    assert len(catalog.stems(session, TRACK)) == 2


def test_several_models_live_side_by_side(config: Config, session: Session) -> None:
    separated(config, session, request="one")
    separated(config, session, request="two", separation=Separation("demo", shifts=3))
    assert len(catalog.stems(session, TRACK)) == 4
    check_files(catalog.stems(session, TRACK))


def test_a_stem_s_file_name_never_leads_out_of_its_folder(config: Config, session: Session) -> None:
    record = separated(config, session, files=("../../../escape/vocals.wav",))
    assert record.moves[0].target.parent.parent == config.stems_folder / TRACK
    for name in ("..", "a/..", ""):
        with pytest.raises(ValueError, match="named a stem's file"):
            separated(config, session, files=(name,))


def measured() -> dict[str, Any]:
    return {
        "columns": {**COLUMNS, "track_id": "not its business"},
        "features": {"tempo": {"bpm": 120}},
        "curves": {"rms": [0.1]},
        "audio": AUDIO,
    }


def test_a_mixture_s_analysis(config: Config, session: Session) -> None:
    run = job("analyze_track", "analysis", features=["tempo", "key"])
    for _ in range(2):
        record = ANALYZE_TRACK.record(run, measured(), config, NOW)
        commit(session, record)
    assert session.rows("SELECT count(*) FROM analyses") == [(1,)]
    found = catalog.analysis(session, TRACK, "mixture")
    assert found is not None
    assert found["analysis_id"] == record.result["analysis_id"]
    assert (found["tempo"], found["key"], found["features"]) == (120.0, "A minor", "tempo,key")
    assert (found["analysis"], found["curves"]) == ({"tempo": {"bpm": 120}}, {"rms": [0.1]})
    assert catalog.analyses_by_request(session, ["request"])["request"][0]["source"] == "mixture"
    assert catalog.tracks(session)[0]["audio_hash"] == "d" * 64


def test_the_newest_analysis_is_the_one_made_last(config: Config, session: Session) -> None:
    for number in range(8):
        run = job("analyze_track", "analysis", features=["tempo"], request_key=f"request {number}")
        result = {**measured(), "columns": {**COLUMNS, "tempo": float(number)}}
        commit(session, ANALYZE_TRACK.record(run, result, config, NOW.replace(hour=number)))
    found = catalog.analysis(session, TRACK, "mixture")
    assert found is not None
    assert found["tempo"] == 7.0


def test_the_analyses_of_stems(config: Config, session: Session) -> None:
    made = separated(config, session)
    run = job("analyze_stems", "analysis", features=["tempo"], request_key="stems")
    result = {
        "stems": [
            {**measured(), "stem": stem["stem"], "stem_id": stem["stem_id"]} for stem in made.result["stems"]
        ]
    }
    record = ANALYZE_STEMS.record(run, result, config, NOW)
    commit(session, record)
    joined = session.rows(
        "SELECT s.stem, a.source, a.tempo FROM analyses AS a JOIN stems AS s USING (stem_id) ORDER BY 1"
    )
    assert joined == [("drums", "drums", 120.0), ("vocals", "vocals", 120.0)]
    assert set(record.result["stems"]) == {"vocals", "drums"}


def test_no_stems_is_said() -> None:
    outcome = ANALYZE_STEMS.process(job("analyze_stems", "analysis", features=["tempo"]), None)  # type: ignore[arg-type]
    assert isinstance(outcome, Discard)
    assert outcome.error["message"] == "There are no stems to analyze."


def test_the_kinds_that_come_with_the_package(tmp_path: Path) -> None:
    kinds = kinds_of(Config(data_folder=tmp_path))
    assert kinds.names == [
        *("analyze_stems", "analyze_track", "download_track", "read_spotify", "separate_stems")
    ]
    assert [(kinds[name].queue, kinds[name].max_attempts) for name in kinds.names] == [
        ("analysis", 2),
        ("analysis", 2),
        ("download", 3),
        ("download", 3),
        ("processing", 2),
    ]


def test_errors_of_a_port_become_outcomes() -> None:
    assert outcome_of(PortCancelled("stopped")) == Cancel("stopped")
    assert isinstance(outcome_of(PortCrashed("fell")), Retry)
    assert isinstance(outcome_of(ProgramError("not audio")), Discard)
    assert isinstance(outcome_of(ProgramError("busy", details={"retry": True})), Retry)
    assert isinstance(outcome_of(PortCrashed("fell", details={"retry": False})), Discard)


class Greet(Kind):
    name, queue = "greet", "analysis"


class Nameless(Kind):
    queue = "analysis"


class Nowhere(Kind):
    name, queue = "nowhere", "kitchen"


class Taken(Kind):
    name, queue = "analyze_track", "analysis"


@pytest.fixture
def known_as(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setitem(sys.modules, "kinds_of_ones_own", sys.modules[__name__])
    return "kinds_of_ones_own"


def test_a_kind_of_ones_own_is_imported_by_name(tmp_path: Path, known_as: str) -> None:
    kinds = kinds_of(Config(data_folder=tmp_path, kinds=f" {known_as}:Greet ,"))
    assert kinds.names == [
        *("analyze_stems", "analyze_track", "download_track", "greet", "read_spotify", "separate_stems")
    ]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("Nameless", "has no name"),
        ("Nowhere", "names no queue that is there"),
        ("Taken", "is named 'analyze_track', as another one is"),
        ("Path", "is no kind of job"),
        ("Missing", "can't be loaded: AttributeError"),
    ],
)
def test_a_kind_that_does_not_fit_is_a_sentence(
    tmp_path: Path, known_as: str, name: str, sentence: str
) -> None:
    with pytest.raises(ConfigError, match=sentence):
        kinds_of(Config(data_folder=tmp_path, kinds=f"{known_as}:{name}"))
    with pytest.raises(ConfigError, match="can't be loaded: ModuleNotFoundError"):
        kinds_of(Config(data_folder=tmp_path, kinds="no_such_module_here:Kind"))


@pytest.mark.parametrize(
    ("asked", "setting", "wants"),
    [
        (None, "auto", True),
        (None, "cpu", False),
        (None, "cuda", True),
        (None, "cuda:1", True),
        (None, "mps", False),
        ("cuda", "cpu", True),
        ("cpu", "cuda", False),
    ],
)
def test_a_separation_that_may_use_a_gpu_asks_for_one(
    tmp_path: Path, asked: str | None, setting: str, wants: bool
) -> None:
    separation = {"model": "demo"} | ({"device": asked} if asked else {})
    config = Config(tmp_path, device=setting)
    assert SEPARATE_STEMS.wants_gpu({"separation": separation}, config) is wants
    assert not ANALYZE_TRACK.wants_gpu({}, config)
