"""Plans: what exists is reused, what is under way is joined, the rest is new, and nothing is left out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from soundforge_nb.lifecycle.identifiers import new_id
from soundforge_nb.pipeline.options import Analysis, Separation
from soundforge_nb.pipeline.plan import Known, Plan, Wishes, files_are_there, keys_of, plan

ALL = Wishes(Separation("demo"), Analysis(("key",)), Analysis(("tempo",)))


def track(number: int = 0, path: str | None = "/music/a.wav") -> dict[str, Any]:
    return {
        "track_id": f"track {number}",
        "byte_hash": f"{number:064d}",
        "title": f"Song {number}",
        "path": path,
        "size_bytes": 10,
        "mtime_ns": 20,
        "duration_seconds": 3.0,
    }


def stems_of(*names: str) -> list[dict[str, Any]]:
    return [{"stem_id": f"id {name}", "stem": name, "path": f"/stems/{name}.wav"} for name in names]


def made(wishes: Wishes = ALL, known: Known | None = None, *tracks: dict[str, Any]) -> Plan:
    named = [(row["title"], row) for row in (tracks or (track(),))]
    return plan(named, wishes, known or Known(), "batch")


def steps(planned: Plan) -> list[tuple[str | None, bool, bool]]:
    return [(entry.step, entry.reused, entry.job_id is not None) for entry in planned.inputs]


def test_all_is_new_and_only_the_stems_analysis_waits() -> None:
    planned = made()
    assert steps(planned) == [
        ("separate", False, True),
        ("analyze", False, True),
        ("analyze_stems", False, True),
    ]
    separate, analyze, stems = planned.jobs
    assert [job.kind for job in planned.jobs] == ["separate_stems", "analyze_track", "analyze_stems"]
    assert [job.queue for job in planned.jobs] == ["processing", "analysis", "analysis"]
    assert (separate.parents, analyze.parents, stems.parents) == ((), (), (separate.job_id,))
    keys = keys_of(track(), ALL)
    assert [job.unique_key for job in planned.jobs] == [keys.separate, keys.analyze, keys.analyze_stems]
    assert all(job.args["request_key"] == job.unique_key for job in planned.jobs)
    assert separate.args["expected"] == {"size_bytes": 10, "mtime_ns": 20}
    assert separate.args["separation"]["model"] == "demo"
    assert (analyze.args["features"], stems.args["features"]) == (["key"], ["tempo"])
    assert separate.meta == {"name": "Song 0", "title": "Song 0"}
    assert {(job.batch_id, job.track_id) for job in planned.jobs} == {("batch", "track 0")}


def test_what_is_not_wanted_is_not_planned() -> None:
    assert steps(made(Wishes(analysis=Analysis()))) == [("analyze", False, True)]
    assert steps(made(Wishes(Separation("demo")))) == [("separate", False, True)]
    # Stems that nobody makes can't be analyzed.
    assert keys_of(track(), Wishes(None, None, Analysis())).analyze_stems is None


def test_what_exists_is_reused() -> None:
    keys = keys_of(track(), ALL)
    known = Known(
        stems={str(keys.separate): stems_of("vocals")},
        analyses={str(keys.analyze): [{}], str(keys.analyze_stems): [{}]},
    )
    planned = made(ALL, known)
    assert planned.jobs == []
    assert all(entry.reused and entry.job_id is None for entry in planned.inputs)
    assert len(planned.inputs) == 3


def test_stems_that_exist_are_analyzed_without_waiting() -> None:
    known = Known(stems={str(keys_of(track(), ALL).separate): stems_of("vocals", "bass")})
    planned = made(ALL, known)
    job = planned.jobs[-1]
    assert (job.kind, job.parents, job.args["stems"]) == ("analyze_stems", (), stems_of("vocals", "bass"))


def test_analyses_of_stems_that_are_lost_are_made_anew() -> None:
    known = Known(analyses={str(keys_of(track(), ALL).analyze_stems): [{}]})
    separate, _, stems = made(ALL, known).jobs
    assert stems.parents == (separate.job_id,)


def test_what_is_under_way_is_joined() -> None:
    keys, job_id = keys_of(track(), ALL), new_id()
    planned = made(ALL, Known(pending={str(keys.separate): job_id}))
    assert planned.inputs[0].job_id == job_id
    assert [job.kind for job in planned.jobs] == ["analyze_track", "analyze_stems"]
    assert planned.jobs[-1].parents == (job_id,)


def test_a_track_named_twice_is_worked_on_once_and_accounted_for_twice() -> None:
    planned = made(ALL, None, track(), track())
    assert len(planned.jobs) == 3
    assert [entry.position for entry in planned.inputs] == [0, 0, 0, 1, 1, 1]
    assert [entry.job_id for entry in planned.inputs[:3]] == [entry.job_id for entry in planned.inputs[3:]]


def test_a_track_whose_file_is_gone_says_so_but_uses_what_exists() -> None:
    lost = track(path=None)
    known = Known(stems={str(keys_of(lost, ALL).separate): stems_of("vocals")})
    planned = made(ALL, known, lost)
    separate, analyze, stems = planned.inputs
    assert separate.reused
    assert analyze.error is not None
    assert analyze.error["message"] == "The file of Song 0 is gone or has become another."
    assert analyze.error["remedy"] == "Add it again."
    assert stems.error is None
    assert [job.kind for job in planned.jobs] == ["analyze_stems"]


@given(
    tracks=st.lists(st.integers(0, 3), max_size=6),
    wishes=st.tuples(st.booleans(), st.booleans(), st.booleans()),
    lost=st.booleans(),
    data=st.data(),
)
def test_every_wanted_step_of_every_input_is_accounted_for_once(
    tracks: list[int], wishes: tuple[bool, bool, bool], lost: bool, data: st.DataObject
) -> None:
    wanted = Wishes(
        ALL.separation if wishes[0] else None,
        ALL.analysis if wishes[1] else None,
        ALL.stem_analysis if wishes[2] else None,
    )
    rows = [track(number, None if lost and number == 0 else "/music/a.wav") for number in tracks]
    keys = sorted({key for row in rows for key in vars(keys_of(row, wanted)).values() if key})
    chosen = {key: data.draw(st.sampled_from(["new", "there", "pending"])) for key in keys}
    there = {key: stems_of("vocals") for key, how in chosen.items() if how == "there"}
    pending = {key: f"job of {key}" for key, how in chosen.items() if how == "pending"}
    planned = plan([(row["title"], row) for row in rows], wanted, Known(there, there, pending), "batch")
    expected = [
        (position, step)
        for position, row in enumerate(rows)
        for step, key in vars(keys_of(row, wanted)).items()
        if key
    ]
    assert [(entry.position, entry.step) for entry in planned.inputs] == expected
    for entry in planned.inputs:
        assert [entry.reused, entry.job_id is not None, entry.error is not None].count(True) == 1
    unique = [job.unique_key for job in planned.jobs]
    assert len(unique) == len(set(unique))
    assert not set(unique) & set(pending)


def test_files_are_there_when_each_stands_as_long_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "vocals.wav"
    file.write_bytes(b"12345")
    row = {"path": str(file), "size_bytes": 5}
    assert files_are_there([row])
    assert files_are_there([])
    assert not files_are_there([row, {"path": str(tmp_path / "gone"), "size_bytes": 5}])
    assert not files_are_there([{**row, "size_bytes": 6}])


@pytest.mark.parametrize("wishes", [ALL, Wishes(), Wishes(analysis=Analysis())])
def test_wishes_are_kept_as_json(wishes: Wishes) -> None:
    from soundforge_nb.pipeline.options import read_analysis, read_separation

    kept = wishes.as_json()
    assert wishes == Wishes(
        read_separation(kept["separate"]),
        read_analysis(kept["analyze"]),
        read_analysis(kept["analyze_stems"]),
    )


def spotify_track(**changes: Any) -> dict[str, Any]:
    mark = "spotify:track:" + "6" * 22
    told = {"byte_hash": f"link:{mark}", "link_mark": mark, "link": "https://open.spotify.com/track/x"}
    return track(path=None) | told | {"artist": "Ada", "album": None, "isrc": None} | changes


def test_what_is_known_from_spotify_alone_is_a_sentence_unless_it_may_be_looked_for() -> None:
    refused = made(ALL, None, spotify_track())
    assert refused.jobs == []
    for entry in refused.inputs[:2]:
        assert entry.error is not None
        assert entry.error["message"].startswith(
            "https://open.spotify.com/track/x is known from Spotify, which gives no audio"
        )
        assert 'downloads = "allowed"' in entry.error["remedy"]
    download, *rest = made(ALL, None, spotify_track(is_looked_for=True)).jobs
    assert download.kind == "download_track"
    # What Spotify said expires, and rows of jobs do not: they know a track by its id alone.
    for job in (download, *rest):
        assert "Song 0" not in f"{job.args} {job.meta['title']}"
        assert "Ada" not in f"{job.args} {job.meta}"
        assert job.args.get("duration_seconds") is None
    assert (download.args["title"], download.meta["title"]) == ("spotify:track:" + "6" * 22,) * 2
    assert [job.parents for job in rest[:2]] == [(download.job_id,)] * 2


def test_a_file_of_one_s_own_that_is_gone_is_told_of_as_one() -> None:
    gone = made(ALL, None, spotify_track(byte_hash="b" * 64))
    assert gone.inputs[0].error is not None
    assert "is gone or has become another" in gone.inputs[0].error["message"]
