"""Calls that arrive while a flush runs go out together by the next one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Grouped(Generic[Item, Answer]):
    """Turns single calls into set-based ones without adding a delay.

    `flush` takes the items that have gathered and returns their answers in order. When it raises for
    several items they are tried one by one, so that one bad item fails alone.
    """

    def __init__(self, flush: Callable[[list[Item]], Awaitable[list[Answer]]]) -> None:
        self._flush = flush
        self._waiting: list[tuple[Item, asyncio.Future[Answer]]] = []
        self._task: asyncio.Task[None] | None = None

    async def __call__(self, item: Item) -> Answer:
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        return await future

    async def _run(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting, []
            try:
                await self._answer(group)
            except Exception as error:
                if len(group) == 1:
                    _fail(group[0][1], error)
                    continue
                for single in group:
                    try:
                        await self._answer([single])
                    except Exception as alone:
                        _fail(single[1], alone)

    async def _answer(self, group: list[tuple[Item, asyncio.Future[Answer]]]) -> None:
        answers = await self._flush([item for item, _ in group])
        for (_, future), answer in zip(group, answers, strict=True):
            if not future.done():
                future.set_result(answer)


def _fail(future: asyncio.Future[Answer], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)
