"""Calls that arrive while a flush runs go out together by the next one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Generic, TypeVar

log = logging.getLogger(__name__)

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class Grouped(Generic[Item, Answer]):
    """Turns single calls into set-based ones without adding a delay.

    `flush` takes the items that have gathered and returns their answers in order. When it raises for
    several items they are tried one by one, so that one bad item fails alone.
    """

    def __init__(self, flush: Callable[[list[Item]], Awaitable[list[Answer]]]) -> None:
        self._flush = flush
        self._waiting: list[tuple[Item, Callable[[Answer | Exception], None]]] = []
        self._task: asyncio.Task[None] | None = None

    async def __call__(self, item: Item) -> Answer:
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.put(item, partial(resolve, future))
        return await future

    def put(self, item: Item, answered: Callable[[Answer | Exception], None]) -> None:
        """As a call, for those who come in their thousands: `answered` gets the answer, or the error."""
        self._waiting.append((item, answered))
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())

    async def settled(self) -> None:
        """Until everybody who waits has an answer."""
        while self._task is not None and not self._task.done():
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        while self._waiting:
            group, self._waiting = self._waiting, []
            try:
                await self._answer(group)
            except Exception as error:
                if len(group) == 1:
                    _tell(group[0][1], error)
                    continue
                for single in group:
                    try:
                        await self._answer([single])
                    except Exception as alone:
                        _tell(single[1], alone)

    async def _answer(self, group: list[tuple[Item, Callable[[Answer | Exception], None]]]) -> None:
        answers = await self._flush([item for item, _ in group])
        for (_, answered), answer in zip(group, answers, strict=True):
            _tell(answered, answer)


def resolve(future: asyncio.Future[Answer], answer: Answer | Exception) -> None:
    """Hand an answer, or an error, to who waits for it; who went away needs none."""
    if future.done():
        return
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)


def _tell(answered: Callable[[Answer | Exception], None], answer: Answer | Exception) -> None:
    """Whoever raises at an answer must not keep the others from theirs, nor have them asked again."""
    try:
        answered(answer)
    except Exception:
        log.exception("what followed an answer failed")
