"""Links are let go of once their audio is here, and not before."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from soundforge_nb.config import Config
from soundforge_nb.errors import StoreError
from soundforge_nb.jobs.insertion import insert_jobs
from soundforge_nb.jobs.job import NewJob
from soundforge_nb.library import spotify_lists
from soundforge_nb.library.catalog import FILE_COLUMNS
from soundforge_nb.library.links import LinkedTrack, add_links
from soundforge_nb.lifecycle.clock import ManualClock
from soundforge_nb.lifecycle.supervisor import Child, Supervisor
from soundforge_nb.lifecycle.telemetry import Telemetry
from soundforge_nb.pipeline.download_track import download_key, partial_name
from soundforge_nb.pipeline.link_files import LinkFiles
from soundforge_nb.pipeline.link_keeper import LINK_GRACE_SECONDS, PARTIAL_GRACE_SECONDS, LinkKeeper
from soundforge_nb.pipeline.song_files import SongFiles
from soundforge_nb.store.store import Store

NOW = datetime(2026, 5, 1)
WALL = 1_000_000.0


class House:
    """A data folder with a store, links in it, and who looks after them."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.config = Config(data_folder=folder)
        self.files = LinkFiles(self.config.links_folder)
        self.store = Store(self.config.store_file)
        self.telemetry = Telemetry()
        self.keeper = self.new_keeper()

    def new_keeper(self) -> LinkKeeper:
        return LinkKeeper(self.config, lambda: self.store, self.telemetry, wall_clock=lambda: WALL)

    def keep(self, name: str, age_seconds: float = 0.0) -> str:
        address = f"https://host/{name}?key=secret"
        mark = self.files.mark(address)
        self.files.keep(mark, address)
        os.utime(self.config.links_folder / mark, (WALL - age_seconds,) * 2)
        return mark

    async def row(self, mark: str) -> str:
        added = await self.store.write(
            "add", lambda session: add_links(session, [LinkedTrack(mark, "https://host/x?…", "x")], NOW)
        )
        return added[mark]

    async def fetched(self, track_id: str, path: Path) -> None:
        row = {"path": str(path), "track_id": track_id, "byte_hash": "b", "size_bytes": 1, "mtime_ns": 1}
        await self.store.write(
            "file", lambda session: session.insert("files", FILE_COLUMNS, [row | {"added_at": NOW}])
        )


def living(folder: Path, work: Any) -> None:
    async def live() -> None:
        house = House(folder)
        await house.store.start()
        try:
            await work(house)
        finally:
            await house.store.stop()

    run(live())


def run(work: Coroutine[Any, Any, None]) -> None:
    async def in_time() -> None:
        async with asyncio.timeout(30):
            await work

    asyncio.run(in_time())


def test_only_links_that_were_used_are_let_go_of(tmp_path: Path) -> None:
    async def work(house: House) -> None:
        there = tmp_path / "there.mp3"
        there.write_bytes(b"x")
        used, waiting, lost = (house.keep(name) for name in ("used", "waiting", "lost"))
        for mark in (used, lost):
            track_id = await house.row(mark)
            await house.fetched(track_id, there if mark == used else tmp_path / "gone.mp3")
        await house.row(waiting)
        about_to_come = house.keep("young", LINK_GRACE_SECONDS - 1)
        nobodys = house.keep("old", LINK_GRACE_SECONDS + 1)
        assert sorted(await house.keeper.look()) == sorted([used, nobodys])
        assert set(house.files.kept()) == {waiting, lost, about_to_come}
        assert await house.keeper.look() == []

    living(tmp_path / "data", work)


def test_downloads_that_jobs_will_go_on_with_are_left(tmp_path: Path) -> None:
    async def work(house: House) -> None:
        folder = house.config.partial_folder
        folder.mkdir()
        key = download_key("ab" * 32)
        for name in (partial_name(key), "nobody's"):
            (folder / f"{name}.part").write_bytes(b"some")
            os.utime(folder / f"{name}.part", (WALL - PARTIAL_GRACE_SECONDS - 1,) * 2)
        job = NewJob("download_track", "download", {}, 3, unique_key=key)
        await house.store.write("job", lambda session: insert_jobs(session, [job], NOW))
        await house.keeper.look()
        assert [file.name for file in folder.iterdir()] == [f"{partial_name(key)}.part"]

    living(tmp_path / "data", work)


def test_what_songs_are_looked_for_by_goes_with_its_use_and_with_its_time(tmp_path: Path) -> None:
    """30 days, as the rows of what Spotify said, which go by the same look."""

    async def work(house: House) -> None:
        there = tmp_path / "there.mp3"
        there.write_bytes(b"x")
        songs = SongFiles(house.config.links_folder)
        ids = [letter * 22 for letter in "abc"]
        for spotify_id, read in zip(ids, (NOW, NOW, NOW - timedelta(days=31)), strict=True):
            told = {"title": f"Planted {spotify_id}", "artist": None, "album": None, "isrc": None}
            row = told | {"spotify_id": spotify_id, "duration_seconds": 1.0}
            inserts, _ = spotify_lists.as_inserts(f"spotify:track:{spotify_id}", [row], read)
            for insert in inserts:
                await house.store.write(
                    "told",
                    lambda session, one=insert: session.insert(
                        one.table, one.columns, one.rows, one.unless, one.replace
                    ),
                )
            songs.keep(spotify_id, row)
            added = await house.store.write(
                "add", lambda session, one=spotify_id: spotify_lists.add_tracks(session, [one], NOW)
            )
            if spotify_id == ids[0]:
                await house.fetched(added[spotify_id], there)
        assert songs.song(ids[1])["title"] == f"Planted {ids[1]}"
        house.keeper = LinkKeeper(
            house.config,
            lambda: house.store,
            house.telemetry,
            clock=ManualClock(NOW),
            wall_clock=lambda: WALL,
        )
        await house.keeper.look()
        assert songs.kept() == [ids[1]]
        left = await house.store.read(
            "told", lambda session: session.rows("SELECT title FROM spotify_tracks")
        )
        assert sorted(left) == [(f"Planted {one}",) for one in ids[:2]]

    living(tmp_path / "data", work)


def test_the_end_of_a_download_is_looked_at_at_once_and_a_store_that_is_away_is_no_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(house: House) -> None:
        looked: asyncio.Queue[int] = asyncio.Queue()
        looks = 0

        async def look(self: LinkKeeper) -> list[str]:
            nonlocal looks
            looks += 1
            looked.put_nowait(looks)
            if looks == 1:
                raise StoreError("The library is closed.")
            return []

        monkeypatch.setattr(LinkKeeper, "look", look)
        supervisor = Supervisor([Child("link keeper", house.new_keeper)], telemetry=house.telemetry)
        await supervisor.start()
        assert await looked.get() == 1
        house.telemetry.execute("job.stop", {}, {"kind": "separate_stems"})
        house.telemetry.execute("job.stop", {}, {"kind": "download_track"})
        assert await looked.get() == 2
        # A crash leaves no handler behind, or the next life could not begin.
        supervisor.kill("link keeper")
        assert await looked.get() == 3
        house.telemetry.execute("job.stop", {}, {"kind": "download_track"})
        assert await looked.get() == 4
        assert supervisor.healthy
        await supervisor.stop()
        assert house.telemetry.attached() == []

    living(tmp_path / "data", work)
