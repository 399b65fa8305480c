"""From one state of a view to the next: the parts that changed, and no more.

A state is a dict of parts. A part named in `rows` is a list of rows with an id, of which only those
that changed travel; every other part travels whole or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

State = dict[str, Any]


def changes(before: State, after: State, rows: Mapping[str, str]) -> dict[str, Any]:
    """What turns `before` into `after`; empty where nothing changed.

    Parameters
    ----------
    rows : mapping
        Part to the name of its rows' id.

    Returns
    -------
    dict
        ``parts``: changed parts whole. ``rows``: part to ``{"order": ids, "changed": rows}``.

    >>> was = {"percent": 1, "running": [{"id": "a", "at": 1}, {"id": "b", "at": 1}]}
    >>> now = {"percent": 1, "running": [{"id": "b", "at": 2}]}
    >>> changes(was, now, {"running": "id"})
    {'parts': {}, 'rows': {'running': {'order': ['b'], 'changed': [{'id': 'b', 'at': 2}]}}}
    """
    differing = [part for part in after if before.get(part) != after[part]]
    if not differing:
        return {}
    return {
        "parts": {part: after[part] for part in differing if part not in rows},
        "rows": {
            part: _row_changes(before.get(part, []), after[part], rows[part])
            for part in differing
            if part in rows
        },
    }


def _row_changes(before: list[State], after: list[State], name: str) -> dict[str, Any]:
    known = {row[name]: row for row in before}
    return {
        "order": [row[name] for row in after],
        "changed": [row for row in after if known.get(row[name]) != row],
    }
