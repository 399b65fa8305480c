"""Which outbound messages a follower wants: a topic, or one job or batch of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Told whatever is followed: after a loss there may be a gap.
_ALWAYS = "connection"
_OF_ONE = {"jobs": "job_id", "batches": "batch_id"}


def fits(topic: str, message: Mapping[str, Any]) -> bool:
    """Whether a message belongs to ``jobs``, ``jobs:<id>``, ``batches``, ``batches:<id>``, ``queues`` …

    ``batches:<id>`` is the batch itself and every job of it.

    >>> message = {"topic": "jobs", "body": {"job_id": "a", "batch_id": "b"}}
    >>> [fits(topic, message) for topic in ("jobs", "jobs:a", "jobs:c", "batches:b", "queues")]
    [True, True, False, True, False]
    """
    if message["topic"] == _ALWAYS:
        return True
    name, _, wanted = topic.partition(":")
    if not wanted:
        return bool(message["topic"] == name)
    column = _OF_ONE.get(name)
    return (
        column is not None
        and (message["topic"] == name or name == "batches")
        and message["body"].get(column) == wanted
    )
