"""Calls that arrive while a flush runs go out together, and a bad one fails alone."""

from __future__ import annotations

import asyncio

import pytest

from soundforge_nb.jobs.grouped import Grouped


class Doubling:
    def __init__(self) -> None:
        self.groups: list[list[int]] = []

    async def __call__(self, items: list[int]) -> list[int]:
        self.groups.append(items)
        await asyncio.sleep(0)
        if 13 in items:
            raise ValueError("13")
        return [2 * item for item in items]


def test_what_gathers_during_a_flush_is_the_next_group() -> None:
    async def test() -> None:
        flush = Doubling()
        grouped = Grouped(flush)
        assert await asyncio.gather(*(grouped(n) for n in range(5))) == [0, 2, 4, 6, 8]
        assert flush.groups == [[0, 1, 2, 3, 4]]
        first = asyncio.create_task(grouped(1))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert await asyncio.gather(grouped(2), grouped(3), first) == [4, 6, 2]
        assert flush.groups[1:] == [[1], [2, 3]]

    asyncio.run(test())


def test_a_bad_item_fails_alone() -> None:
    async def test() -> None:
        grouped = Grouped(Doubling())
        answers = await asyncio.gather(*(grouped(n) for n in (1, 13, 2)), return_exceptions=True)
        assert [answers[0], answers[2]] == [2, 4]
        assert isinstance(answers[1], ValueError)
        with pytest.raises(ValueError, match="13"):
            await grouped(13)
        assert await grouped(4) == 8

    asyncio.run(test())


def test_a_caller_that_goes_away_takes_nothing_with_it() -> None:
    async def test() -> None:
        flush = Doubling()
        grouped = Grouped(flush)
        gone, stays = asyncio.create_task(grouped(1)), asyncio.create_task(grouped(2))
        await asyncio.sleep(0)
        gone.cancel()
        assert await stays == 4
        assert flush.groups == [[1, 2]]

    asyncio.run(test())
