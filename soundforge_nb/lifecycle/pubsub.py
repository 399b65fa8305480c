"""Topics inside the application: numbered messages to whoever subscribed.

Notification, never the record: who misses one reads a snapshot from the store. The sequence number
of a message lets a view that took a snapshot at number *n* drop what it has seen already.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Published:
    topic: str
    sequence: int
    body: dict[str, Any]


Subscriber = Callable[[Published], None]
#: Subscribing to this topic means all of them.
EVERY_TOPIC = "*"


class PubSub:
    """Subscriptions by topic; used from one event loop."""

    def __init__(self, first_sequence: int = 0) -> None:
        self._subscribers: defaultdict[str, list[Subscriber]] = defaultdict(list)
        self.sequence = first_sequence

    def subscribe(self, topic: str, subscriber: Subscriber) -> Callable[[], None]:
        """Call `subscriber` with each message of `topic`; returns what ends it."""
        self._subscribers[topic].append(subscriber)

        return lambda: self._drop(topic, subscriber)

    def publish(self, topic: str, body: dict[str, Any]) -> Published:
        """Number a message and hand it to the topic's subscribers; one that raises is dropped."""
        self.sequence += 1
        message = Published(topic, self.sequence, body)
        for place in (topic, EVERY_TOPIC):
            for subscriber in list(self._subscribers.get(place, ())):
                try:
                    subscriber(message)
                except Exception:
                    log.exception("a subscriber of %s raised and is dropped", topic)
                    self._drop(place, subscriber)
        return message

    def _drop(self, topic: str, subscriber: Subscriber) -> None:
        subscribers = self._subscribers.get(topic, [])
        # It may have unsubscribed itself before it raised.
        if subscriber in subscribers:
            subscribers.remove(subscriber)
