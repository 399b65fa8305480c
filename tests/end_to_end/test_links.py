"""From a link to stems, analyses and rows: one batch, one account, whatever becomes of each link."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from web import Web, file_answer, web_server

import soundforge_nb as sf
from soundforge_nb import cli

SPOTIFY = "https://open.spotify.com/track/6rqhFgbbKwnb9MLmUQDhG6?si=1"


@pytest.fixture(scope="module")
def web() -> Iterator[Web]:
    with web_server() as made:
        yield made


@pytest.fixture(scope="module")
def linked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sf.Forge]:
    """An application that follows links to this machine."""
    folder = tmp_path_factory.mktemp("linked") / "data"
    with sf.connect(data_folder=folder, private_addresses="allowed") as forge:
        yield forge
    assert cli.main(["stop", "--data-folder", str(folder)]) == 0


def account(batch: sf.Batch) -> dict[tuple[str, str], str]:
    rows = batch.account()
    return {
        (name.rpartition("/")[2], step): status
        for name, step, status in zip(rows["name"], rows["step"], rows["status"], strict=True)
    }


@pytest.mark.timeout(150)
def test_a_link_goes_the_whole_way_and_is_fetched_once(
    linked: sf.Forge, web: Web, song, tmp_path: Path
) -> None:
    content = song(tmp_path / "song.wav", seconds=4.0).read_bytes()
    link = web.serve("/A%20song.wav", file_answer(content, upto=100_000))
    words = web.serve("/words.mp3", file_answer(b"no music at all\n" * 100))
    tracks = linked.add(link, web.url + "/nowhere.mp3", words, "ftp://host/x.mp3", SPOTIFY, link)
    assert [(track.title, track.pending) for track in tracks] == [
        ("A song", True),
        ("nowhere", True),
        ("words", True),
    ]
    assert [entry.name for entry in tracks.rejected] == ["ftp://host/x.mp3", SPOTIFY]
    assert linked.jobs().empty
    assert web.seen == []

    batch = linked.process(tracks, separate="demo", analyze=["energy"], analyze_stems=["energy"])
    assert batch.wait(120, progress=False)
    found = account(batch)
    steps = ("download", "separate", "analyze", "analyze_stems")
    assert [found[("A%20song.wav", step)] for step in steps] == ["done"] * 4
    assert {found[(name, step)] for name in ("nowhere.mp3", "words.mp3") for step in steps} == {"failed"}
    assert any("is not there: the server answered 404" in text for text in batch.errors()["error"])

    (row,) = [row for row in batch.results().to_dict("records") if row["title"] == "A song"]
    assert set(row["stems"]) == {"vocals", "drums", "bass", "other"}
    assert row["energy"] > 0
    downloads = linked.config.downloads_folder
    (file,) = [path for path in downloads.rglob("*") if path.is_file()]
    assert file == downloads / row["track_id"] / "A song.wav"
    assert file.read_bytes() == content
    assert not list(linked.config.partial_folder.iterdir())
    assert [headers.get("Range") for path, headers in web.seen if "song" in path] == [None, "bytes=100000-"]

    again = linked.process(linked.add(link), separate="demo", analyze=["energy"], analyze_stems=["energy"])
    assert again.wait(60, progress=False)
    assert set(account(again).values()) == {"reused"}
    # Removed by somebody, it is fetched again, for what is new alone.
    file.unlink()
    more = linked.process(link, analyze=["key"])
    assert more.wait(60, progress=False)
    assert account(more) == {("A%20song.wav", step): "done" for step in ("download", "analyze")}
    assert file.read_bytes() == content


def test_private_addresses_are_refused_by_default(forge: sf.Forge, web: Web) -> None:
    batch = forge.process(web.serve("/a.wav", file_answer(b"")), analyze=["energy"])
    assert batch.wait(60, progress=False)
    assert "of this machine or of a local network" in " ".join(batch.errors()["error"])
