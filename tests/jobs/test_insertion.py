"""Many jobs inserted by one statement have the very arguments that they were given."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from soundforge_nb.jobs import table
from soundforge_nb.jobs.filling import TOLD_EACH
from soundforge_nb.jobs.insertion import insert_alike
from soundforge_nb.lifecycle.identifiers import new_ids
from soundforge_nb.store.session import Session
from tests.jobs.conftest import House, Plain

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=8,
)


def test_any_arguments_come_back_as_they_were(in_house: Any) -> None:
    async def test(house: House) -> None:
        now = house.clock.now()

        @settings(max_examples=100, deadline=None)
        @given(st.lists(st.dictionaries(TEXT, VALUES), min_size=1, max_size=4))
        def holds(args: list[dict[str, Any]]) -> None:
            ids = new_ids(len(args))

            def work(session: Session) -> list[dict[str, Any]]:
                insert_alike(session, Plain().new({}), ids, args, now)
                return table.get_jobs(session, ids)

            found = {row["job_id"]: row["args"] for row in house.store.submit("insert", work).result(30)}
            assert [found[job_id] for job_id in ids] == args

        holds()

    in_house(test)


def test_many_at_once_keep_their_order(in_house: Any) -> None:
    async def test(house: House) -> None:
        ids = new_ids(TOLD_EACH + 50)
        args = [{"n": n, "large": 2**70 + n} for n in range(len(ids))]
        await house.engine.insert_alike(Plain().new({}, job_id=ids[0]), ids, args)
        rows = await house.store.read("rows", lambda session: table.get_jobs(session, ids))
        assert {row["job_id"]: row["args"] for row in rows} == dict(zip(ids, args, strict=True))

    in_house(test)
