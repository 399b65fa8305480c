"""A node that can't be heard is given nothing, and is welcome when it is heard again."""

from __future__ import annotations

import logging
from typing import Any

from soundforge_nb.jobs.lifeline import Lifeline


async def ticks(house: Any, lifeline: Lifeline, seconds: float) -> list[str]:
    """Let time pass as the lifeline sees it: a second at a time."""
    rescued = []
    for _ in range(int(seconds)):
        house.clock.advance(1)
        rescued += await lifeline.tick()
    return rescued


def test_a_silent_node_gets_no_jobs_until_it_is_heard(in_house: Any, caplog: Any) -> None:
    caplog.set_level(logging.CRITICAL, "soundforge_nb")

    async def test(house: Any) -> None:
        engine, lifeline = house.engine, Lifeline(house.engine)
        engine.joined("near")
        engine.joined("far")
        engine.ledger.remove_node("node")
        jobs = [await house.insert() for _ in range(4)]
        assert await engine.fill("analysis") == 4
        near = [job.lease_id for job, node in house.hands.given if node == "near"]
        for _ in range(40):
            await ticks(house, lifeline, 1)
            engine.heard("near", near)
        # The far node's jobs went back once, and wait: the near one is full, and nobody else is heard.
        assert engine.ledger.silent == {"far"}
        assert sorted(await house.states(*jobs)) == ["available", "available", "executing", "executing"]
        assert await engine.fill("analysis") == 0
        engine.wake["analysis"].clear()
        engine.heard("far")
        assert engine.wake["analysis"].is_set()
        house.hands.given.clear()
        assert await engine.fill("analysis") == 2
        assert {node for _, node in house.hands.given} == {"far"}

    in_house(test)


def test_after_a_sleep_of_the_machine_no_node_is_silent(in_house: Any) -> None:
    async def test(house: Any) -> None:
        lifeline = Lifeline(house.engine)
        house.engine.joined("near")
        house.clock.advance(3600)
        await lifeline.tick()
        assert house.engine.ledger.silent == set()

    in_house(test)


def test_a_node_that_left_is_not_heard_back_in(in_house: Any) -> None:
    async def test(house: Any) -> None:
        house.engine.joined("near")
        house.engine.ledger.remove_node("near")
        house.engine.heard("near")
        assert "near" not in house.engine.ledger.nodes

    in_house(test)
