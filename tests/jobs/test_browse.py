"""Jobs as a dashboard reads them: pages through filters, one in full, tracks with their steps."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from soundforge_nb.jobs import browse
from soundforge_nb.jobs.browse import Filters
from soundforge_nb.jobs.job import Discard
from tests.jobs.conftest import House, Plain

EVIL = "<img src=x onerror=alert(1)>"
InHouse = Callable[..., None]


async def page(house: House, offset: int = 0, size: int = 10, **filters: Any) -> dict[str, Any]:
    return await house.store.read(
        "page", lambda session: browse.page(session, Filters(**filters), offset, size)
    )


async def insert_songs(house: House, count: int = 25) -> list[str]:
    jobs = [
        Plain().new(
            {"path": f"/songs/{number}.wav"},
            meta={"title": f"Song {number}" if number else EVIL},
            tags=("odd",) if number % 2 else ("even", "100%"),
        )
        for number in range(count)
    ]
    await house.engine.insert(jobs)
    return [job.job_id for job in jobs]


def test_pages_follow_each_other_without_a_gap(in_house: InHouse) -> None:
    async def test(house: House) -> None:
        ids = await insert_songs(house)
        pages = [await page(house, offset, 10) for offset in (0, 10, 20)]
        assert [row["job_id"] for found in pages for row in found["rows"]] == ids[::-1]
        assert {found["total"] for found in pages} == {25}

    in_house(test)


def test_a_page_behind_the_end_is_empty_and_knows_the_total(in_house: InHouse) -> None:
    async def test(house: House) -> None:
        await insert_songs(house)
        assert await page(house, 100) == {"total": 25, "offset": 100, "rows": []}
        assert (await page(house, kind="unheard of"))["total"] == 0

    in_house(test)


def test_each_filter_is_answered_by_the_store(in_house: InHouse) -> None:
    async def test(house: House) -> None:
        ids = await insert_songs(house)
        job = await house.claim()
        await house.start(job)
        await house.finish(job, Discard({"message": "It is SILENT."}))

        async def total(**filters: Any) -> int:
            return int((await page(house, **filters))["total"])

        assert await total(states=("discarded",)) == 1
        assert await total(states=("discarded", "executing", "available")) == 25
        assert await total(states=()) == 0
        assert await total(queue="analysis") == 25
        assert await total(queue="download") == 0
        assert await total(tag="odd") == 12
        assert await total(tag="100%") == 13
        assert await total(tag="100") == 0
        assert await total(words="song 1") == 11
        assert await total(words="silent") == 1
        assert await total(words=ids[3]) == 1
        assert await total(words="%") == 0
        assert await total(words="") == 25
        assert await total(words=EVIL) == 1
        assert await total(words="'; DROP TABLE jobs; --") == 0
        assert await total(words="song", tag="odd", states=("available",)) == 11

    in_house(test)


def test_what_there_is_to_filter_by(in_house: InHouse) -> None:
    async def test(house: House) -> None:
        await insert_songs(house)
        found = await house.store.read("kinds", browse.kinds_and_tags)
        assert found == {"kinds": ["plain"], "tags": ["100%", "even", "odd"]}

    in_house(test)


def test_a_job_in_full(in_house: InHouse) -> None:
    async def test(house: House) -> None:
        parent = await house.insert()
        child = await house.insert(parents=(parent.job_id,), meta={"title": EVIL})
        error = {"message": "No.", "details": {"stderr_tail": "Segmentation fault"}}
        await house.run(Discard(error))
        whole = await house.store.read("job", lambda session: browse.whole_job(session, parent.job_id))
        assert whole is not None
        assert (whole["state"], whole["error"]) == ("discarded", error)
        (attempt,) = whole["attempts"]
        assert (attempt["outcome"], attempt["error"]) == ("discarded", error)
        assert whole["children"] == [
            {"job_id": child.job_id, "kind": "plain", "state": "cancelled", "name": EVIL}
        ]
        of_child = await house.store.read("job", lambda session: browse.whole_job(session, child.job_id))
        assert of_child is not None
        assert [row["job_id"] for row in of_child["parents"]] == [parent.job_id]
        nobody = str(uuid.uuid4())
        assert await house.store.read("job", lambda session: browse.whole_job(session, nobody)) is None

    in_house(test)


def test_a_song_of_spotify_s_is_called_what_it_is_called_now(in_house: InHouse) -> None:
    """Its jobs know its id alone: it goes by what Spotify says while that is kept, else by its file."""

    async def test(house: House) -> None:
        track, spotify_id = str(uuid.uuid4()), "6" * 22
        name = f"spotify:track:{spotify_id}"
        await house.insert(track_id=track, meta={"title": name})

        async def title(change: str) -> str:
            await house.store.write("change", lambda session: session.execute(change))
            found = await house.store.read("pipelines", browse.pipelines)
            return str(found["tracks"][0]["title"])

        here = (
            f"INSERT INTO tracks BY NAME SELECT '{track}' AS track_id, 'link' AS byte_hash, '{name}' AS title"
        )
        assert await title(f"{here}, now()::TIMESTAMP AS added_at") == name
        told = f"INSERT INTO spotify_tracks BY NAME SELECT '{spotify_id}' AS spotify_id, 'Told' AS title"
        assert await title(f"{told}, now()::TIMESTAMP AS fetched_at") == "Told"
        assert await title("UPDATE tracks SET title = 'By its file'") == "By its file"

    in_house(test)


def test_tracks_that_are_worked_on_come_with_their_steps(in_house: InHouse) -> None:
    async def test(house: House) -> None:
        tracks = [str(uuid.uuid4()) for _ in range(4)]
        for track in tracks:
            await house.insert(track_id=track, meta={"title": track[:4]})
        await house.run()
        running = await house.claim()
        await house.start(running)
        found = await house.store.read("pipelines", lambda session: browse.pipelines(session, 2))
        # The first one is done, the second runs; of the other two one is counted only.
        assert found["total"] == 3
        assert [track["track_id"] for track in found["tracks"]] == tracks[1:3]
        assert [step["state"] for step in found["tracks"][0]["steps"]] == ["executing"]
        assert found["tracks"][0]["title"] == tracks[1][:4]

    in_house(test)
