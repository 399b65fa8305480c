"""What an engine is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from soundforge_nb.config import Config
from soundforge_nb.jobs.kind import Kinds
from soundforge_nb.jobs.ledger import Ledger
from soundforge_nb.lifecycle.clock import Clock
from soundforge_nb.lifecycle.pubsub import PubSub
from soundforge_nb.lifecycle.telemetry import Telemetry
from soundforge_nb.store.store import Store


@dataclass(frozen=True)
class Parts:
    """What an engine is made of. What a restarted service replaces is asked for anew at each use."""

    config: Config
    kinds: Kinds
    ledger: Ledger
    clock: Clock
    telemetry: Telemetry
    store: Callable[[], Store]
    pubsub: Callable[[], PubSub]
